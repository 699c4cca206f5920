#include <cerrno>
#include <cstring>

#include "base/result.h"

namespace croft {

namespace {
constexpr ErrcRow rows[] = {
    {Errc::failed, "failed", "org.croft.Croft1.Error.Failed", 1, "the operation failed; the text says why"},
    {Errc::usage, "usage", "org.croft.Croft1.Error.Usage", 2, "the command line is wrong"},
    {Errc::invalid, "invalid", "org.croft.Croft1.Error.Invalid", 2,
     "a value is wrong; the text names the option, or the file and line, it came from"},
    {Errc::not_found, "not-found", "org.croft.Croft1.Error.NotFound", 3,
     "a machine, tree, file or user does not exist"},
    {Errc::exists, "exists", "org.croft.Croft1.Error.Exists", 4, "the name is already taken"},
    {Errc::busy, "busy", "org.croft.Croft1.Error.Busy", 5, "in use by another machine or command"},
    {Errc::wrong_state, "wrong-state", "org.croft.Croft1.Error.WrongState", 6,
     "the machine is not in a state in which this verb is allowed"},
    {Errc::denied, "denied", "org.croft.Croft1.Error.Denied", 7, "not permitted for this user"},
    {Errc::unsupported, "unsupported", "org.croft.Croft1.Error.Unsupported", 8,
     "this kernel, host or file system cannot do it"},
    {Errc::no_space, "no-space", "org.croft.Croft1.Error.NoSpace", 9,
     "id ranges, disk space or processes are exhausted"},
    {Errc::not_executable, "not-executable", "org.croft.Croft1.Error.NotExecutable", 126,
     "the command exists in the tree but cannot be run"},
    {Errc::no_command, "no-command", "org.croft.Croft1.Error.NoCommand", 127,
     "the command does not exist in the tree"},
    {Errc::timeout, "timeout", "org.croft.Croft1.Error.Timeout", 10, "waited as long as allowed"},
    {Errc::system, "system", "org.croft.Croft1.Error.System", 11, "a system call failed"},
};
}  // namespace

const ErrcRow& errc_row(Errc code) { return rows[static_cast<size_t>(code)]; }

const ErrcRow* errc_rows(size_t& count) {
    count = std::size(rows);
    return rows;
}

Error& Error::within(std::string_view phrase) & {
    text.insert(0, ": ").insert(0, phrase);
    return *this;
}
Error&& Error::within(std::string_view phrase) && { return std::move(within(phrase)); }

Error error(Errc code, std::string text) { return Error{code, 0, std::move(text)}; }

Error os_error(int err, std::string_view doing) {
    Errc code = Errc::system;
    if (err == EPERM || err == EACCES) code = Errc::denied;
    if (err == ENOENT) code = Errc::not_found;
    if (err == ENOSPC || err == EDQUOT) code = Errc::no_space;
    return Error{code, err, std::string(doing) + ": " + errno_text(err)};
}

std::string errno_text(int err) {
    // strerrordesc_np is the untranslated table: no locale is loaded for it.
    const char* text = strerrordesc_np(err);
    return text ? text : "errno " + std::to_string(err);
}

const char* errno_name(int err) {
    const char* name = strerrorname_np(err);
    return name ? name : "?";
}

}  // namespace croft
