#include "bus/verb_words.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace croft::bus {

namespace {
Result<> check_streams(const Asked& asked) {
    if (asked.streams.empty() || asked.streams.size() == 3) return {};
    return error(Errc::invalid, cat(asked.streams.size(),
                                    " streams were given: it takes none or three "
                                    "(standard input, output, error)"));
}
}  // namespace

Result<Asked> read_verb(sd_bus_message* call, const char* verb, const std::string& operand) {
    Asked asked;
    asked.verb = verb;
    auto options = TRY(read_options(call));
    asked.words = TRY(option_words(options));
    asked.words.emplace_back("--");
    asked.words.push_back(operand);
    return asked;
}

Result<Asked> read_terminal(sd_bus_message* call, const char* verb, const std::string& operand) {
    Asked asked = TRY(read_verb(call, verb, operand));
    asked.terminal = "linux";
    TRY(open_terminal(asked));
    return asked;
}

Result<Asked> read_program(sd_bus_message* call, const char* verb, const std::string& operand) {
    std::vector<std::string> command = TRY(read_strings(call));
    Asked asked = TRY(read_verb(call, verb, operand));
    asked.words.insert(asked.words.end(), command.begin(), command.end());
    TRY(read_streams(call, asked));
    return asked;
}

Result<Asked> read_define(const std::string& name, std::string_view text) {
    Asked asked{.verb = "edit", .words = {"--quiet", "--file=-", "--", name}};
    asked.input = Fd(memfd_create("machine-file", MFD_CLOEXEC));
    if (!asked.input) return os_error(errno, "keeping the machine file");
    TRY(write_all(asked.input.get(), text));
    lseek(asked.input.get(), 0, SEEK_SET);
    return asked;
}

Result<> read_streams(sd_bus_message* call, Asked& asked) {
    asked.streams = TRY(read_descriptors(call));
    return check_streams(asked);
}

}  // namespace croft::bus
