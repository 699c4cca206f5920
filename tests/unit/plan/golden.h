// Comparing whole plans with files, one case a file in golden/. CROFT_UPDATE_GOLDEN=1 writes them anew.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "format/json_writer.h"
#include "plan/planner.h"

namespace croft::plan {

inline std::string as_text(const Plans& plans) {
    format::JsonWriter json;
    auto inner = [](std::string text) { return std::string(trim(text)); };
    json.begin_object().key("launch").raw(inner(launch::to_json(plans.launch)));
    json.key("unit").raw(inner(launch::to_json(plans.unit)));
    json.key("warnings").begin_array();
    for (const std::string& warning : plans.warnings) json.value(warning);
    json.end_array().end_object();
    return json.take();
}

inline void expect_golden(const std::string& name, const Plans& plans) {
    std::string text = as_text(plans);
    std::string path = cat(GOLDEN_DIRECTORY, "/", name, ".json");
    if (getenv("CROFT_UPDATE_GOLDEN")) {
        Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        ASSERT_TRUE(file && write_all(file.get(), text)) << path;
    }
    auto kept = read_file_at(AT_FDCWD, path.c_str());
    ASSERT_TRUE(kept) << path << ": CROFT_UPDATE_GOLDEN=1 writes it";
    EXPECT_EQ(*kept, text);
    // What is planned can be kept and read again.
    auto back = launch::decode(launch::encode(plans.launch));
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(launch::to_json(*back), launch::to_json(plans.launch));
}

}  // namespace croft::plan
