// The tables of docs/dbus.md, as Markdown on standard output: verbs with their actions, errors with their
// meanings. For tools/generate (`croftd --tables`).
#pragma once

namespace croft::bus {
int print_tables();
}
