// Places of images by the words of a command line: what the options of a verb say of them, and which place a reference
// means. All verbs of images/ come through here.
#pragma once

#include <memory>
#include <string>

#include "cli/arguments.h"
#include "registry/place.h"

namespace croft::images {

// Which of a verb's options count: those without a prefix, and "--src-…" or "--dest-…" before them.
enum class Side : unsigned char { only, source, target };

// Reads a password from the terminal where --creds names none. Interrupts of cli/interrupt.h end what the options are for.
Result<registry::PlaceOptions> place_options(const cli::Arguments& arguments, Side side);

// Any place at all, the store too.
Result<std::unique_ptr<registry::ImageSource>> open_any_source(const image::Reference& reference,
                                                               const registry::PlaceOptions& options);
Result<std::unique_ptr<registry::ImageTarget>> open_any_target(const image::Reference& reference,
                                                               const registry::PlaceOptions& options);

// Between two places, with a progress line on the terminal unless --quiet is among the options.
Result<> copy_with_progress(const cli::Arguments& arguments, registry::ImageSource& from, registry::ImageTarget& to,
                            const registry::PlaceOptions& options, const std::string& what);
// The same into the place that a reference names.
Result<> copy_there(const cli::Arguments& arguments, registry::ImageSource& from, const image::Reference& target);

// A line from the terminal without an echo; an error where there is none.
Result<std::string> ask_password(const std::string& prompt);

}  // namespace croft::images
