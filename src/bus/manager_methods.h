// What the manager's methods have in common: a verb of the command line about what the first argument names. Called by the
// files of /org/croft/Croft1.
#pragma once

#include "bus/service.h"
#include "bus/verb_words.h"

namespace croft::bus {

inline Service& service_of(void* data) {
    return *static_cast<Service*>(data);
}

template <const char* const& verb>
int verb_method(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* name = nullptr;
    int r = sd_bus_message_read(call, "s", &name);
    if (r < 0) return r;
    service_of(data).requests().handle(call, read_verb(call, verb, name));
    return 1;
}

template <const char* const& verb>
int word_method(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* name = nullptr;
    int r = sd_bus_message_read(call, "s", &name);
    if (r < 0) return r;
    service_of(data).requests().handle(call, read_verb_and_word(call, verb, name));
    return 1;
}

// Rows of a table for sd-bus; `name` is what the first argument is called.
#define CROFT_VERB_METHOD(method, name, verb)                                                          \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_RESULT("o", job), \
                            verb_method<verb_word::verb>, all_may)
#define CROFT_WORD_METHOD(method, name, word, verb)                                                               \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("s", name, "s", word, "a{sv}", options), SD_BUS_RESULT("o", job), \
                            word_method<verb_word::verb>, all_may)

}  // namespace croft::bus
