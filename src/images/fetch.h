// What import reads besides files of this host: an address on the web (registry/web_file.h), and bytes that must have the
// digest that --digest names. Called by verb_bring.cc.
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "base/stream.h"
#include "cli/arguments.h"
#include "image/reference.h"

namespace croft::images {

// The bytes of a tar: or raw: reference, "-" being standard input; of an address with a progress line. Where --digest is
// given, other bytes than those are an error at their end, so whoever keeps them does so only then.
Result<std::unique_ptr<Source>> open_bytes(const cli::Arguments& arguments, const image::Reference& from);
// For messages: "standard input", the path, or the address without a login.
std::string shown_name(const image::Reference& from);

// A disk image that is fetched, compressed, or has a digest to be checked: as a file without a name, unpacked. An empty
// descriptor: it can be read where it is.
Result<Fd> fetched_disk(const cli::Arguments& arguments, const image::Reference& from);

}  // namespace croft::images
