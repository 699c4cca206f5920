// Machines whose root is an image of the store (store/): finding the image that a word names, the layers that the machine
// stands on, and what the image says of its process. Called within manager/ and by cli/.
//
// A machine that a file declares (Image=) has a root of its own in the store, made at its first start or by `croft create`;
// it stays with the layers it was made from until `croft rebuild`. A machine of `croft run IMAGE` has a throwaway upper.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "manager/paths.h"
#include "spec/machine_spec.h"
#include "spec/spec_patch.h"
#include "store/machine_roots.h"
#include "store/references.h"
#include "store/store.h"

namespace croft::manager {

std::string store_path(const Paths& paths);
// Where the scratch directories of machines on throwaway uppers are.
std::string uses_path(const Paths& paths);

// Under which name the store keeps an image that was pulled or imported by this reference, when no other was given:
// "HOST/NAME:TAG" of one in a registry, the reference itself of one in a file.
Result<std::string> store_name(std::string_view reference);
// Whether the word has a transport in front whose image must be brought into the store before it can be run.
bool names_foreign_image(std::string_view word);
// The image in the store that a word means; nothing when there is none of it (or no store).
Result<std::optional<store::Named>> find_image(const Paths& paths, std::string_view word);

// Which root a machine has, as far as its settings do not say.
struct RootWords {
    std::string image;    // named on the command line: the machine has a throwaway upper; "": as the settings say
    std::string machine;  // whose own root it is then
    std::optional<spec::Mode> mode;  // unset: as the settings say
};
// A patch applied to a fresh spec. When it turns out that an image is the root, what it says of its process comes below the
// patch: environment, user, working directory, stop signal; a command of its own counts when there is no other, and its
// entry point stands before either. spec.root gets its layers, and of a kept one the upper. not_found names the image and
// says what to do; wrong_state when it is incomplete.
Result<> apply_with_image(const Paths& paths, const spec::SpecPatch& patch, const RootWords& words, spec::MachineSpec& spec,
                          std::vector<spec::Warning>& warnings);

// What a machine stands on that is made from the image as it is now. not_found and wrong_state as above.
Result<store::MachineRoot> new_root(const store::Store& store, const std::string& image, const std::string& machine);

// Held while a start finds and records what it stands on: collection waits. Nothing when there is no image in it.
Result<Fd> hold_layers(const Paths& paths, const spec::MachineSpec& spec);
// Under that hold: makes a kept machine's root if it is not there yet; checks that all layers still are.
Result<> prepare_root(const Paths& paths, const spec::MachineSpec& spec);
// What the scratch directory of a machine on a throwaway upper, uses_path()/NAME, says of it. Nothing where there is none.
Result<> record_use(const Paths& paths, const spec::MachineSpec& spec, std::string_view boot_id);

// "image debian:trixie (3f2a…), an overlay over 2 layers and its own files": what a machine's root is made of, as the store
// tells it; "" of one on a plain tree.
std::string root_text(const Paths& paths, std::string_view name);

// What a declared machine has in the store, snapshots too, when its declaration goes or gets another name. The machine does
// not run; busy, with nothing removed, when it does all the same.
Result<> remove_own_root(const Paths& paths, const std::string& name);
Result<> rename_own_root(const Paths& paths, const std::string& from, const std::string& to);

}  // namespace croft::manager
