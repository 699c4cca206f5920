#include "bus/verb_words.h"

#include <fcntl.h>
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

Error wrong(const char* what) {
    return error(Errc::invalid, cat("the message's arguments cannot be read: ", what));
}

Result<std::string> read_string(sd_bus_message* call) {
    const char* text = nullptr;
    if (sd_bus_message_read(call, "s", &text) < 0) return wrong("there is no string where one is expected");
    return std::string(text);
}

// The message's own is closed with it.
Result<Fd> read_descriptor(sd_bus_message* call) {
    int fd = -1;
    if (sd_bus_message_read(call, "h", &fd) < 0) return wrong("there is no descriptor where one is expected");
    Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!copy) return os_error(errno, "a descriptor of the message");
    return copy;
}
}  // namespace

Result<Asked> read_verb(sd_bus_message* call, const char* verb) {
    Asked asked;
    asked.verb = verb;
    auto options = TRY(read_options(call));
    asked.words = TRY(option_words(options));
    asked.words.emplace_back("--");
    return asked;
}

Result<Asked> read_verb(sd_bus_message* call, const char* verb, const std::string& operand) {
    Asked asked = TRY(read_verb(call, verb));
    asked.words.push_back(operand);
    return asked;
}

Result<Asked> read_verb_and_word(sd_bus_message* call, const char* verb, const std::string& operand) {
    std::string word = TRY(read_string(call));
    Asked asked = TRY(read_verb(call, verb, operand));
    asked.words.push_back(std::move(word));
    return asked;
}

Result<Asked> read_import(sd_bus_message* call) {
    Fd archive = TRY(read_descriptor(call));
    Asked asked = TRY(read_verb_and_word(call, "image import", "-"));
    asked.input = std::move(archive);
    return asked;
}

Result<Asked> read_export(sd_bus_message* call, const std::string& image) {
    Fd archive = TRY(read_descriptor(call));
    Asked asked = TRY(read_verb(call, "image export", image));
    asked.output = std::move(archive);
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
