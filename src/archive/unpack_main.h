// What the program croft-unpack does (apps/croft_unpack.cc).
#pragma once

namespace croft::archive {

// The exit status; what there is to say is in the report.
int unpack_main(int count, char** arguments);

}  // namespace croft::archive
