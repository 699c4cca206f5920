#include "bus/tables.h"

#include <cstdio>

#include "base/result.h"
#include "base/text.h"
#include "cli/access.h"

namespace croft::bus {

int print_tables() {
    std::string out = "| verb | polkit action |\n|---|---|\n";
    for (const cli::AccessRow& row : cli::access_rows())
        if (row.access != cli::Access::local)
            out += cat("| `", row.verb, "` | `org.croft.Croft1.", cli::access_name(row.access), "` |\n");
    out += "\n| error | exit status | meaning |\n|---|---|---|\n";
    size_t count = 0;
    const ErrcRow* rows = errc_rows(count);
    for (size_t i = 0; i < count; ++i)
        out += cat("| `", rows[i].dbus_name, "` | ", rows[i].exit_status, " | ", rows[i].meaning, " |\n");
    return fputs(out.c_str(), stdout) < 0;
}

}  // namespace croft::bus
