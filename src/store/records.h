// The small JSON files of the store: one object, texts and numbers and lists of texts. Only for store/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/json_document.h"

namespace croft::store {

// A file of ours that is no such object is an error that names it and says what to do.
class RecordFile {
  public:
    static Result<RecordFile> read(int dir, const std::string& name);
    // Nothing when it is not there, perhaps since a moment ago.
    static Result<std::optional<RecordFile>> find(int dir, const std::string& name);
    // "", 0, false and an empty list for what is missing or of another kind: an older croft did not write it.
    std::string text(std::string_view key) const;
    uint64_t number(std::string_view key) const;
    bool truth(std::string_view key) const;
    std::vector<std::string> texts(std::string_view key) const;

  private:
    explicit RecordFile(format::JsonDocument document) : document_(std::move(document)) {}
    format::JsonDocument document_;
};

}  // namespace croft::store
