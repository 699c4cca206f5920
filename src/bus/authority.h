// Who may do what: asks polkit, without ever waiting for it. Called by bus/gate.cc (may this caller look?)
// and bus/request.cc (may it do this?).
//
// Root may everything, and on a session bus everybody is the machines' owner. Everybody else is judged by
// polkit: the action org.croft.Croft1.ACCESS with the details `machine`, `image`, `source`, `verb` and `user`. Where polkit is
// not there the answer is no. Answers to "may look" are kept for five seconds, because one listing asks for
// each machine; other answers are never kept.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bus/handles.h"
#include "cli/access.h"

namespace croft::bus {

enum class Scope { system, user };
enum class Answer { yes, no, challenge };  // challenge: a password might change it

struct Question {
    cli::Access access = cli::Access::view;
    std::string machine;  // empty: none; "*": all
    std::string verb;
    std::string user;
    bool interactive = false;
    std::string image;   // as `machine`
    std::string source;  // where an image comes from
};
// May one look at the machine, or at the image?
Question look_at_machine(const std::string& name);
Question look_at_image(const std::string& name);

class Authority {
  public:
    Authority(sd_bus* bus, Scope scope) : bus_(bus), scope_(scope) {}
    Result<> start();
    using Then = std::function<void(Answer)>;
    // Calls `then` once: at once when it needs nobody, otherwise from the event loop.
    void ask(const std::string& sender, const Question& question, Then then);
    // All of them; the answer is the first that is not yes.
    void ask_all(const std::string& sender, std::vector<Question> questions, Then then);
    bool may_everything(const std::string& sender);
    uint32_t uid_of(const std::string& sender);  // UINT32_MAX: gone
    size_t waiting() const { return waiting_ + queue_.size(); }

  private:
    struct Kept {
        Answer answer;
        uint64_t until;
    };
    struct Asked;
    struct Waiting {
        std::string sender, key;
        Question question;
        Then then;
    };
    void send(Waiting waiting);
    void send_waiting();
    static int answered(sd_bus_message* reply, void* data, sd_bus_error*);
    Result<Message> call_for(const std::string& sender, const Question& question) const;
    sd_bus* bus_;
    Scope scope_;
    std::map<std::string, uint32_t> uids_;  // by unique name, which is never used twice
    std::map<std::string, Kept> kept_;
    // A connection may wait for 128 answers at most (dbus-daemon's rule), and people who are asked for a
    // password must not keep the others waiting: so both kinds have a bound of their own.
    unsigned waiting_ = 0, people_ = 0;
    std::deque<Waiting> queue_;
    Slot changed_;
};

}  // namespace croft::bus
