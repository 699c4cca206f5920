#include "bus/gate.h"

#include <time.h>

#include <cstring>
#include <memory>

namespace croft::bus {

namespace {
// What a message is about, as far as looking goes: all of some kinds, or one machine or image.
struct Looks {
    Kinds all = Kinds::none;
    std::string machine, image;
};

Looks looks_at(sd_bus_message* message) {
    const char* path = sd_bus_message_get_path(message);
    const char* member = sd_bus_message_get_member(message);
    if (!path || !member) return {};
    if (std::string name = name_in(machine_prefix, path); !name.empty()) return {.machine = name, .image = ""};
    if (std::string name = name_in(image_prefix, path); !name.empty()) return {.machine = "", .image = name};
    Kinds all = strcmp(member, "ListMachines") == 0 ? Kinds::machines
                : strcmp(member, "ListImages") == 0 ? Kinds::images
                : strcmp(member, "Introspect") == 0 || strcmp(member, "GetManagedObjects") == 0 ? Kinds::both
                                                                                                : Kinds::none;
    return {.all = all, .machine = "", .image = ""};
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
    seen_ = {};
    auto answer = answers_.find(message);
    if (answer != answers_.end()) {
        seen_ = std::move(answer->second);
        answers_.erase(answer);
        sd_bus_message_unref(message);
        return 0;
    }
    store_.look();
    images_.refresh();
    if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects") > 0)
        listed_(sender_);
    if (authority_.may_everything(sender_)) {
        all_ = true;
        return 0;
    }
    Looks looks = looks_at(message);
    bool one = !looks.machine.empty() || !looks.image.empty();
    if (looks.all == Kinds::none && !one) return 0;
    sd_bus_message_ref(message);
    if (one) {
        Question question = looks.image.empty() ? look_at_machine(looks.machine) : look_at_image(looks.image);
        authority_.ask(sender_, question, [this, message, looks](Answer answer_of_one) {
            put_back(message, answer_of_one == Answer::yes ? Seen{{looks.machine}, {looks.image}} : Seen{});
        });
    } else {
        visible(sender_, looks.all, [this, message](Seen seen) { put_back(message, std::move(seen)); });
    }
    return 1;
}

void Gate::put_back(sd_bus_message* message, Seen seen) {
    answers_[message] = std::move(seen);
    sd_bus_message_rewind(message, 1);
    if (sd_bus_enqueue_for_read(bus_, message) >= 0) return;
    answers_.erase(message);
    sd_bus_message_unref(message);
}

void Gate::visible(const std::string& sender, Kinds kinds, std::function<void(Seen)> then) {
    struct Gathered {
        size_t open;
        Seen seen;
        std::function<void(Seen)> then;
    };
    auto gathered = std::make_shared<Gathered>(1, Seen{}, std::move(then));
    auto done = [gathered] {
        if (--gathered->open == 0) gathered->then(std::move(gathered->seen));
    };
    auto ask = [&](const Question& question, std::set<std::string> Seen::* names, const std::string& name) {
        ++gathered->open;
        authority_.ask(sender, question, [gathered, done, names, name](Answer answer) {
            if (answer == Answer::yes) (gathered->seen.*names).insert(name);
            done();
        });
    };
    if (kinds == Kinds::machines || kinds == Kinds::both)
        for (const auto& [name, entry] : store_.all()) ask(look_at_machine(name), &Seen::machines, name);
    if (kinds == Kinds::images || kinds == Kinds::both)
        for (const auto& [name, image] : images_.all()) ask(look_at_image(name), &Seen::images, name);
    done();
}

bool Gate::sees_machine(const std::string& name) const {
    return all_ || seen_.machines.contains(name);
}

bool Gate::sees_image(const std::string& name) const {
    return all_ || seen_.images.contains(name);
}

bool Gate::sees_job(const Job& job) {
    return all_ || authority_.uid_of(sender_) == job.owner;
}

}  // namespace croft::bus
