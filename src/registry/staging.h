// A file or directory that is made beside its place under a hidden name, and takes the place by a rename when it is whole.
// One that is not placed is removed.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/stream.h"
#include "registry/place.h"

namespace croft::registry {

class Staging {
  public:
    enum class Kind : unsigned char { file, directory };
    // The error names `path`; its directory must be there.
    static Result<Staging> make(const std::string& path, Kind kind);
    Staging(Staging&& other) noexcept;
    Staging& operator=(Staging&&) = delete;
    ~Staging();

    int fd() const { return fd_.get(); }
    // Synced, then renamed. With `replace` what is there goes (exchanged and removed, when it is a directory).
    enum class Replace : unsigned char { no, yes };
    Result<> place(Replace replace);

  private:
    Staging() = default;
    std::string path_, temporary_;
    Kind kind_ = Kind::file;
    Fd fd_;
};

// Writes a whole blob to a new file below `directory`; a file with that name that is there already is whole, and stays.
// What is cut short is removed.
Result<> write_blob(int directory, const std::string& name, const image::Descriptor& descriptor, const OpenBlob& open);
// The same with bytes that are at hand; replaces.
Result<> write_small(int directory, const std::string& name, std::string_view bytes);

}  // namespace croft::registry
