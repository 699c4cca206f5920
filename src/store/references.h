// Names of images: each is one small file that says which manifest it means. Called by images/ and manager/.
//
// A name is what was given at import or pull: "web", "web:1", "localhost:5000/team/web:1". Lookup is generous where only
// one image can be meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/digest.h"
#include "store/store.h"

namespace croft::store {

struct Named {
    std::string name;
    image::Digest manifest;            // what is run
    std::optional<image::Digest> top;  // the index that it was chosen from, if there was one
    std::string source;                // where it came from, as a reference; "" for what was made here
    uint64_t made = 0;                 // when the name was given, seconds since the epoch
};

// Sorted by name. A damaged file is an error that names it.
Result<std::vector<Named>> references(const Store& store);
// By name; by name with ":latest"; by the first digits (at least 4) of the manifest's digest; by the last parts of one name
// ("debian:trixie" for "HOST/library/debian:trixie"). Nothing when there is none; an error when several are meant.
Result<std::optional<Named>> find_reference(const Store& store, std::string_view word);
// The same among those that are given.
Result<std::optional<Named>> choose_reference(const std::vector<Named>& all, std::string_view word);
// As find_reference(), and not_found with what is near.
Result<Named> get_reference(const Store& store, std::string_view word);

// Everything that the name means must be there and durable already. One of that name is replaced.
Result<> put_reference(const Store& store, const Named& named);
// not_found when there is none of exactly that name.
Result<> remove_reference(const Store& store, std::string_view name);

}  // namespace croft::store
