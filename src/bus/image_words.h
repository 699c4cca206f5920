// What a request about images is about: names of the store, and how far its words reach. Pure. Called by bus/command.cc.
//
// The security argument: jobs run as root, so a word that names a file of this host would let its caller read or write what
// root can, and an option that names one (a policy, certificates, logins) would change whom root trusts. So the words
// decide the class of access, never downwards from the verb's row:
//
//   names of the store, standard input and output   as the row has it: image-view or image-manage
//   a registry that is read                         image-manage
//   a file, a directory, --tls-verify               image-transfer, which is as good as root
//
// What the caller hands over are descriptors, opened with its own rights. Names are made whole (name_images()) among the
// images that it may look at, so a rule about one image cannot be reached by another word for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bus/command.h"
#include "cli/arguments.h"
#include "store/references.h"

namespace croft::bus {

// Once the command's words are written. usage or invalid for words that are none.
Result<> add_images(Command& command, const cli::Arguments& args, cli::Named named);

// Words that mean an image become its whole name, in the command's words too. `seen`: those that the caller may look at.
// not_found for what is not among them; invalid for what means several of them.
Result<> name_images(Command& command, const std::vector<store::Named>& seen);

Error no_such_image(std::string_view word);

}  // namespace croft::bus
