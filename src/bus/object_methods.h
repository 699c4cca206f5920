// What the methods of a machine and of an image have in common: a verb of the command line about what the object stands for.
// A file that uses this has its `objects` and `name_of`, which takes the object that sd-bus found.
#pragma once

#include "bus/objects.h"
#include "bus/verb_words.h"

namespace croft::bus {

template <auto& objects, auto name_of, const char* const& verb>
int object_verb(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_verb(call, verb, name_of(data)));
    return 1;
}

template <auto& objects, auto name_of, const char* const& verb>
int object_word(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_verb_and_word(call, verb, name_of(data)));
    return 1;
}

// Rows of a table for sd-bus.
#define CROFT_OBJECT_VERB(method, verb)                                                     \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job), \
                            (object_verb<objects, name_of, verb_word::verb>), all_may)
#define CROFT_OBJECT_WORD(method, word, verb)                                                          \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("s", word, "a{sv}", options), SD_BUS_RESULT("o", job), \
                            (object_word<objects, name_of, verb_word::verb>), all_may)

}  // namespace croft::bus
