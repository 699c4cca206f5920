#include "bus/findings.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/names.h"
#include "base/text.h"
#include "dialect/json_read.h"

namespace croft::bus {

namespace {
using dialect::Json;

Result<> append_finding(sd_bus_message* reply, const std::string& name, const Json& finding) {
    auto text = [&](const char* key) -> Result<std::string> {
        const Json* member = dialect::json_member(finding, key);
        return member ? dialect::json_text(*member, key) : error(Errc::failed, cat("there is no ", key));
    };
    const Json* line = dialect::json_member(finding, "line");
    uint64_t number = line ? TRY(dialect::json_number(*line, "line", UINT32_MAX)) : 0;
    std::string file = TRY(text("file")), severity = TRY(text("severity")), sentence = TRY(text("sentence"));
    int r = sd_bus_message_append(reply, "(ssuss)", name.c_str(), file.c_str(), static_cast<uint32_t>(number),
                                  severity.c_str(), sentence.c_str());
    if (r < 0) return bus_error(r, "telling what was found");
    return {};
}

Result<> append_verdict(sd_bus_message* reply, const Json& verdict) {
    const Json *name = dialect::json_member(verdict, "name"), *all = dialect::json_member(verdict, "findings");
    if (!name || !all) return error(Errc::failed, "the answer of croft verify is no verdict");
    std::string machine = TRY(dialect::json_text(*name, "name"));
    for (const Json& finding : *TRY(dialect::json_array(*all, "findings")))
        TRY(append_finding(reply, machine, finding));
    return {};
}

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
    Json verdicts = Json::parse(json, nullptr, false);
    int r = sd_bus_message_open_container(reply, 'a', "(ssuss)");
    if (r < 0) return bus_error(r, "telling what was found");
    for (const Json& verdict : *TRY(dialect::json_array(verdicts, "$").within("the answer of croft verify")))
        TRY(append_verdict(reply, verdict));
    r = sd_bus_message_close_container(reply);
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
