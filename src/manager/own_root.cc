#include "manager/own_root.h"

#include <unistd.h>

#include "base/host_root.h"
#include "base/text.h"
#include "manager/declared.h"
#include "manager/image_root.h"
#include "store/layers.h"

namespace croft::manager {

kernel::OverlayNotes overlay_notes() {
    return is_host_root() ? kernel::OverlayNotes::trusted : kernel::OverlayNotes::user;
}

Result<OwnRoot> OwnRoot::take(const Paths& paths, const std::string& name, const char* verb) {
    Machine machine = TRY(find_any(paths, name));
    if (machine.file.empty()) return not_declared(paths, name);
    TRY(check_state(machine, verb));
    Declared declared = TRY(find_declared(paths, name));
    if (declared.image.empty())
        return error(Errc::unsupported, cat("machine ", quoted(name), " is on the plain tree ", declared.tree, ": `croft ", verb,
                                            "` is for machines that are made from an image (croft create --image)"));
    auto store = TRY(store::Store::find(store_path(paths)));
    auto root = store ? TRY(store::find_machine_root(*store, name)) : std::nullopt;
    if (!root)
        return error(Errc::wrong_state, cat("machine ", quoted(name), " has never been started and has nothing of its own yet; "
                                            "`croft start ", name, "` makes its root from image ", quoted(declared.image)));
    OwnRoot out(std::move(machine), std::move(*store), std::move(*root));
    out.hold_ = TRY(out.store_.hold());
    if (out.machine_.alive()) return out;
    std::string tree = cat(store::machine_directory(out.store_, name), "/upper");
    Fd upper = TRY(open_at(AT_FDCWD, tree.c_str(), O_RDONLY | O_DIRECTORY));
    TRY(open_machines(paths));
    out.lock_ = TRY(lock_tree(paths, tree, upper.get(), LockKind::exclusive));
    return out;
}

Result<Fd> OwnRoot::view() const {
    std::vector<std::string> trees = TRY(store::trees_above(store_, root_.layers));
    trees.insert(trees.begin(), cat(store::machine_directory(store_, root_.name), "/upper"));
    return kernel::read_layers(trees, overlay_notes());
}

}  // namespace croft::manager
