// A config.json with all that must be there, and changes to it.
#pragma once

#include <gtest/gtest.h>

#include "base/text.h"
#include "dialect/oci_config.h"

namespace croft::dialect::samples {

// Members, each with a comma in front, that come to an object of the configuration.
struct Add {
    std::string top = "", process = "", linux = "", namespaces = "";
};

inline std::string config(const Add& add) {
    return cat(R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"},
        "process": {"args": ["sh"], "cwd": "/")",
               add.process, R"(}, "linux": {"namespaces": [{"type": "mount"})", add.namespaces, "]",
               add.linux, "}", add.top, "}");
}

inline Result<OciSpec> parse(const std::string& text) {
    return parse_oci_config(text, {"/bundles/one", "one"});
}

inline spec::MachineSpec taken(const Add& add) {
    auto out = parse(config(add));
    EXPECT_TRUE(out) << out.error().text;
    if (out) EXPECT_EQ(join(out->warnings, "; "), "");
    return out ? out->spec : spec::MachineSpec();
}

inline std::string why_not(const std::string& text) {
    auto out = parse(text);
    if (out) return "taken";
    EXPECT_EQ(out.error().code, Errc::invalid);
    return out.error().text;
}
inline std::string why_not(const Add& add) {
    return why_not(config(add));
}

inline std::string warnings(const Add& add) {
    auto out = parse(config(add));
    return out ? join(out->warnings, "; ") : "error: " + out.error().text;
}

struct Wrong {
    Add add;
    const char* sentence;
};
template <size_t N>
void expect_wrong(const Wrong (&table)[N]) {
    for (const Wrong& row : table) EXPECT_EQ(why_not(row.add), row.sentence) << config(row.add);
}

}  // namespace croft::dialect::samples
