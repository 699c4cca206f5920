#include "bus/authority.h"

#include <time.h>
#include <unistd.h>

#include <memory>

#include "base/log.h"
#include "base/text.h"

namespace croft::bus {

namespace {
constexpr uint64_t keep_for = 5'000'000;    // µs
constexpr uint64_t patience = 300'000'000;  // a person types a password
constexpr size_t many = 10'000;
constexpr unsigned at_once = 64, people_at_once = 32;
constexpr uint32_t allow_interaction = 1;

uint64_t monotonic() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

std::string key_of(const std::string& sender, const Question& question) {
    return cat(sender, " ", access_name(question.access), " ", question.machine, " ", question.image);
}

int append_detail(sd_bus_message* call, const char* key, const std::string& value) {
    return value.empty() ? 0 : sd_bus_message_append(call, "{ss}", key, value.c_str());
}

std::string dialog_text(const Question& question) {
    bool images = cli::is_about_images(question.access);
    std::string whom = images && question.image.empty() ? "an image"
                       : images && question.image == "*" ? "all images"
                       : images                          ? "the image '$(image)'"
                       : question.machine.empty()  ? "a machine"
                       : question.machine == "*" ? "all machines"
                                                 : "the machine '$(machine)'";
    return cat("Authentication is required to ", access_phrase(question.access), " ", whom, ".");
}
}  // namespace

Question look_at_machine(const std::string& name) {
    Question out;
    out.machine = name, out.verb = "show";
    return out;
}

Question look_at_image(const std::string& name) {
    Question out;
    out.access = cli::Access::image_view, out.image = name, out.verb = "image inspect";
    return out;
}

struct Authority::Asked {
    Authority* authority;
    bool person;
    std::string key;  // empty: not to be kept
    Then then;
};

Result<> Authority::start() {
    if (scope_ == Scope::user) return {};
    // Rules or sessions are others now.
    auto forget = [](sd_bus_message*, void* data, sd_bus_error*) {
        static_cast<Authority*>(data)->kept_.clear();
        return 0;
    };
    int r = sd_bus_match_signal_async(
        bus_, changed_.put(), "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority", "Changed", forget, nullptr, this);
    if (r < 0) return bus_error(r, "watching polkit");
    return {};
}

// The driver of the bus is asked, whose answers never wait for anybody.
uint32_t Authority::uid_of(const std::string& sender) {
    auto known = uids_.find(sender);
    if (known != uids_.end()) return known->second;
    if (uids_.size() > many) uids_.clear();
    sd_bus_creds* creds = nullptr;
    uid_t uid = UINT32_MAX;
    if (sd_bus_get_name_creds(bus_, sender.c_str(), SD_BUS_CREDS_EUID, &creds) < 0) return UINT32_MAX;
    if (sd_bus_creds_get_euid(creds, &uid) < 0) uid = UINT32_MAX;
    sd_bus_creds_unref(creds);
    return uids_[sender] = uid;
}

bool Authority::may_everything(const std::string& sender) {
    uint32_t uid = uid_of(sender);
    return uid == 0 || (scope_ == Scope::user && uid == geteuid());
}

Result<Message> Authority::call_for(const std::string& sender, const Question& question) const {
    Message call;
    int r = sd_bus_message_new_method_call(bus_, call.put(), "org.freedesktop.PolicyKit1",
                                           "/org/freedesktop/PolicyKit1/Authority",
                                           "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
    // The caller by its name on the bus: a pid could be another process by now.
    std::string action = cat(bus_name, ".", access_name(question.access));
    if (r >= 0)
        r = sd_bus_message_append(call.get(), "(sa{sv})s", "system-bus-name", 1, "name", "s", sender.c_str(),
                                  action.c_str());
    if (r >= 0) r = sd_bus_message_open_container(call.get(), 'a', "{ss}");
    if (r >= 0) r = append_detail(call.get(), "machine", question.machine);
    if (r >= 0) r = append_detail(call.get(), "image", question.image);
    if (r >= 0) r = append_detail(call.get(), "source", question.source);
    if (r >= 0) r = append_detail(call.get(), "verb", question.verb);
    if (r >= 0) r = append_detail(call.get(), "user", question.user);
    if (r >= 0 && question.interactive)
        r = append_detail(call.get(), "polkit.message", dialog_text(question));
    if (r >= 0) r = sd_bus_message_close_container(call.get());
    if (r >= 0) r = sd_bus_message_append(call.get(), "us", question.interactive ? allow_interaction : 0, "");
    if (r < 0) return bus_error(r, "asking polkit");
    return call;
}

int Authority::answered(sd_bus_message* reply, void* data, sd_bus_error*) {
    std::unique_ptr<Asked> asked(static_cast<Asked*>(data));
    Authority& self = *asked->authority;
    --self.waiting_;
    self.people_ -= asked->person;
    Answer answer = Answer::no;
    if (const sd_bus_error* why = sd_bus_message_get_error(reply)) {
        warn(cat("polkit does not answer, so only root may do anything: ",
                 why->message ? why->message : why->name));
        asked->key.clear();
    } else {
        int yes = 0, challenge = 0;
        if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") >= 0 &&
            sd_bus_message_read(reply, "bb", &yes, &challenge) >= 0)
            answer = yes ? Answer::yes : challenge ? Answer::challenge : Answer::no;
    }
    if (!asked->key.empty()) self.kept_[asked->key] = {answer, monotonic() + keep_for};
    asked->then(answer);
    self.send_waiting();
    return 0;
}

void Authority::ask(const std::string& sender, const Question& question, Then then) {
    if (may_everything(sender)) return then(Answer::yes);
    if (question.interactive && people_ >= people_at_once) return then(Answer::challenge);
    bool view = question.access == cli::Access::view || question.access == cli::Access::image_view;
    bool keep = view && !question.interactive;
    std::string key = keep ? key_of(sender, question) : "";
    auto known = kept_.find(key);
    if (keep && known != kept_.end() && known->second.until > monotonic()) return then(known->second.answer);
    if (kept_.size() > many) kept_.clear();
    Waiting waiting{sender, std::move(key), question, std::move(then)};
    if (question.interactive || waiting_ - people_ < at_once) return send(std::move(waiting));
    queue_.push_back(std::move(waiting));
}

void Authority::send(Waiting waiting) {
    auto call = call_for(waiting.sender, waiting.question);
    if (!call) return waiting.then(Answer::no);
    bool person = waiting.question.interactive;
    auto asked = std::make_unique<Asked>(this, person, std::move(waiting.key), std::move(waiting.then));
    if (sd_bus_call_async(bus_, nullptr, call->get(), answered, asked.get(), patience) < 0)
        return asked->then(Answer::no);
    ++waiting_;
    people_ += person;
    asked.release();  // NOLINT: answered() has it now
}

void Authority::send_waiting() {
    while (!queue_.empty() && waiting_ - people_ < at_once) {
        Waiting next = std::move(queue_.front());
        queue_.pop_front();
        send(std::move(next));
    }
}

void Authority::ask_all(const std::string& sender, std::vector<Question> questions, Then then) {
    struct All {
        size_t open;
        Answer worst = Answer::yes;
        Then then;
    };
    if (questions.empty()) return then(Answer::no);
    auto all = std::make_shared<All>(questions.size(), Answer::yes, std::move(then));
    for (const Question& question : questions)
        ask(sender, question, [all](Answer answer) {
            if (all->worst == Answer::yes || answer == Answer::no)
                if (answer != Answer::yes) all->worst = answer;
            if (--all->open == 0) all->then(all->worst);
        });
}

}  // namespace croft::bus
