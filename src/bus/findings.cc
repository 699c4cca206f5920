#include "bus/findings.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/names.h"
#include "base/text.h"
#include "format/json_read.h"

namespace croft::bus {

namespace {
using format::Json;
using format::JsonNotes;
using format::JsonRow;
using format::Presence;

struct Finding {
    std::string file, severity, sentence;
    uint64_t line = 0;
};

template <std::string Finding::*member>
Result<> text(Json json, Finding& out, JsonNotes&) {
    out.*member = TRY(format::json_text(json));
    return {};
}

Result<> line(Json json, Finding& out, JsonNotes&) {
    out.line = TRY(format::json_number(json, UINT32_MAX));
    return {};
}

constexpr JsonRow<Finding> finding_rows[] = {{"file", text<&Finding::file>, Presence::required},
                                             {"line", line},
                                             {"severity", text<&Finding::severity>, Presence::required},
                                             {"sentence", text<&Finding::sentence>, Presence::required}};

struct Verdict {
    std::string name;
    std::vector<Finding> findings;
};

Result<> name(Json json, Verdict& out, JsonNotes&) {
    out.name = TRY(format::json_text(json));
    return {};
}

Result<> list(Json json, Verdict& out, JsonNotes& notes) {
    return format::json_list(json, finding_rows, out.findings, notes);
}

constexpr JsonRow<Verdict> verdict_rows[] = {{"name", name, Presence::required},
                                             {"findings", list, Presence::required}};

// What the job has written, or what it has failed with: it says 1 where there are mistakes, too.
void answer(sd_bus_message* call, int output, const Job& job) {
    Message reply;
    std::string json;
    lseek(output, 0, SEEK_SET);
    if (auto text = read_all(output)) json = std::move(*text);
    int r = sd_bus_message_new_method_return(call, reply.put());
    if (r < 0) return;
    if (json.empty())
        sd_bus_reply_method_errorf(call, job.error.empty() ? errc_row(Errc::failed).dbus_name : job.error.c_str(), "%s",
                                   job.message.c_str());
    else if (Result<> told = append_findings(reply.get(), json); told)
        sd_bus_send(nullptr, reply.get(), nullptr);
    else
        reply_error(call, told.error());
}
}  // namespace

Result<> append_findings(sd_bus_message* reply, std::string_view json) {
    auto document = TRY(format::json_parse(json).within("the answer of croft verify"));
    // It has more members than these.
    JsonNotes notes{JsonNotes::Unknown::warn, {}};
    std::vector<Verdict> verdicts;
    TRY(format::json_list(document.root(), verdict_rows, verdicts, notes).within("the answer of croft verify"));
    int r = sd_bus_message_open_container(reply, 'a', "(ssuss)");
    for (const Verdict& verdict : verdicts)
        for (const Finding& one : verdict.findings)
            if (r >= 0)
                r = sd_bus_message_append(reply, "(ssuss)", verdict.name.c_str(), one.file.c_str(),
                                          static_cast<uint32_t>(one.line), one.severity.c_str(), one.sentence.c_str());
    if (r >= 0) r = sd_bus_message_close_container(reply);
    if (r < 0) return bus_error(r, "telling what was found");
    return {};
}

Result<Asked> read_verify(sd_bus_message* call) {
    Asked asked{.verb = "verify", .words = {"--json", "--"}};
    for (std::string& name : TRY(read_strings(call))) {
        TRY(check_machine_name(name));
        asked.words.push_back(std::move(name));
    }
    asked.output = Fd(memfd_create("findings", MFD_CLOEXEC));
    if (!asked.output) return os_error(errno, "keeping what is found");
    auto own = std::make_shared<Fd>(fcntl(asked.output.get(), F_DUPFD_CLOEXEC, 3));
    asked.at_end = [own](sd_bus_message* asker, const Job& job) { answer(asker, own->get(), job); };
    return asked;
}

}  // namespace croft::bus
