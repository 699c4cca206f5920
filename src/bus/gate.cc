#include "bus/gate.h"

#include <time.h>

#include <cstring>
#include <memory>

namespace croft::bus {

namespace {
// Which machines a message is about, as far as looking goes.
struct Looks {
    bool all = false;
    std::string one;
};

Looks looks_at(sd_bus_message* message) {
    const char* path = sd_bus_message_get_path(message);
    const char* member = sd_bus_message_get_member(message);
    if (!path || !member) return {};
    std::string name = name_in(machine_prefix, path);
    if (!name.empty()) return {.one = name};
    bool listing = strcmp(member, "Introspect") == 0 || strcmp(member, "GetManagedObjects") == 0 ||
                   strcmp(member, "ListMachines") == 0;
    return {.all = listing};
}
}  // namespace

uint64_t monotonic_time() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

Result<> Gate::start(std::function<void(const std::string& sender)> listed) {
    listed_ = std::move(listed);
    last_ = monotonic_time();
    int r = sd_bus_add_filter(bus_, nullptr, filter, this);
    if (r < 0) return bus_error(r, "looking at messages");
    return {};
}

int Gate::filter(sd_bus_message* message, void* data, sd_bus_error*) {
    return static_cast<Gate*>(data)->arrived(message);
}

// 0: let it pass to the objects; 1: it is put aside.
int Gate::arrived(sd_bus_message* message) {
    if (sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0) return 0;
    last_ = monotonic_time();
    const char* sender = sd_bus_message_get_sender(message);
    if (!sender) return 0;
    sender_ = sender;
    all_ = false;
    names_.clear();
    auto answer = answers_.find(message);
    if (answer != answers_.end()) {
        names_ = std::move(answer->second);
        answers_.erase(answer);
        sd_bus_message_unref(message);
        return 0;
    }
    store_.look();
    if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects") > 0)
        listed_(sender_);
    if (authority_.may_everything(sender_)) {
        all_ = true;
        return 0;
    }
    Looks looks = looks_at(message);
    if (!looks.all && looks.one.empty()) return 0;
    sd_bus_message_ref(message);
    auto then = [this, message](std::set<std::string> names) { put_back(message, std::move(names)); };
    if (looks.all) {
        visible(sender_, then);
    } else {
        authority_.ask(sender_, {.machine = looks.one, .verb = "show"}, [then, looks](Answer answer_of_one) {
            then(answer_of_one == Answer::yes ? std::set<std::string>{looks.one} : std::set<std::string>{});
        });
    }
    return 1;
}

void Gate::put_back(sd_bus_message* message, std::set<std::string> names) {
    answers_[message] = std::move(names);
    sd_bus_message_rewind(message, 1);
    if (sd_bus_enqueue_for_read(bus_, message) >= 0) return;
    answers_.erase(message);
    sd_bus_message_unref(message);
}

void Gate::visible(const std::string& sender, std::function<void(std::set<std::string>)> then) {
    struct Gathered {
        size_t open;
        std::set<std::string> names;
        std::function<void(std::set<std::string>)> then;
    };
    auto gathered = std::make_shared<Gathered>(1, std::set<std::string>{}, std::move(then));
    auto done = [gathered] {
        if (--gathered->open == 0) gathered->then(std::move(gathered->names));
    };
    for (const auto& [name, entry] : store_.all()) {
        ++gathered->open;
        authority_.ask(sender, {.machine = name, .verb = "show"},
                       [gathered, done, name = name](Answer answer) {
                           if (answer == Answer::yes) gathered->names.insert(name);
                           done();
                       });
    }
    done();
}

bool Gate::sees_machine(const std::string& name) const {
    return all_ || names_.contains(name);
}

bool Gate::sees_job(const Job& job) {
    return all_ || authority_.uid_of(sender_) == job.owner;
}

}  // namespace croft::bus
