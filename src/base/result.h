// Result<T> and Error: how every function of croft reports failure.
//
// An Error is a code (what kind of failure, one row of the table in error.cc), an errno where the kernel
// gave one, and a sentence that names the object and what to do. Each layer adds one phrase in front with
// within(): "starting machine 'web': mounting /proc: Operation not permitted". Log or print it once, at the top.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace croft {

// The kinds of failure a caller can tell apart. Each has one row in error.cc: D-Bus name, exit status, meaning.
enum class Errc {
    failed,          // anything without a better name
    usage,           // the command line itself is wrong
    invalid,         // a value is wrong: the text names the option or file:line it came from
    not_found,       // a machine, tree, file or user that does not exist
    exists,          // a name that is already taken
    busy,            // in use by another machine or command
    wrong_state,     // the machine is not in a state in which this verb is allowed
    denied,          // not permitted for this user
    unsupported,     // this kernel, host or file system cannot do it
    no_space,        // id ranges, disk, processes exhausted
    not_executable,  // the command in the tree exists but cannot be run (exit status 126)
    no_command,      // the command does not exist in the tree (exit status 127)
    timeout,         // waited as long as allowed
    system,          // a system call failed; err says how
};

// One row of the error table.
struct ErrcRow {
    Errc code;
    const char* name;       // as in JSON: "not-found"
    const char* dbus_name;  // "org.croft.Croft1.Error.NotFound"
    int exit_status;        // of verbs that do not pass on a payload's status
    const char* meaning;    // for the manual
};
const ErrcRow& errc_row(Errc code);
// All rows, in the order of the enum (for the manual and for tests).
const ErrcRow* errc_rows(size_t& count);

struct Error {
    Errc code = Errc::failed;
    int err = 0;       // errno of the failing call, 0 when there was none
    std::string text;  // one sentence without a full stop

    // Puts "phrase: " in front: the layer that knows more tells what it was doing.
    Error& within(std::string_view phrase) &;
    Error&& within(std::string_view phrase) &&;
};

// An error without an errno.
Error error(Errc code, std::string text);
// A failed system call: "doing: strerror(err)"; EPERM/EACCES become denied, ENOENT not_found, ENOSPC no_space,
// the rest system.
Error os_error(int err, std::string_view doing);
// The text of an errno without locale tables or heap ("Operation not permitted"); "errno 999" is unknown.
std::string errno_text(int err);
// The kernel's own name of an errno ("EPERM").
const char* errno_name(int err);

template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
  public:
    using std::expected<T, Error>::expected;
    Result(Error e) : std::expected<T, Error>(std::unexpected(std::move(e))) {}

    // Adds a phrase to the error, if there is one, and passes the whole thing on.
    Result&& within(std::string_view phrase) && {
        if (!*this) this->error().within(phrase);
        return std::move(*this);
    }
};

namespace detail {
template <class T>
T take(Result<T>& r) {
    return std::move(*r);
}
inline void take(Result<void>&) {}
}  // namespace detail

// Unwraps a Result or returns its error from the enclosing function (which returns a Result itself).
//   Fd f = TRY(open_at(dir, "x", O_RDONLY));
#define TRY(...)                                                        \
    __extension__({                                                     \
        auto try_result_ = (__VA_ARGS__);                               \
        if (!try_result_) return std::move(try_result_).error();        \
        ::croft::detail::take(try_result_);                             \
    })

}  // namespace croft
