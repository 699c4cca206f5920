// Steps in words: the phrase of an error message, as in "mounting proc on /proc: Operation not permitted".
#include "base/text.h"
#include "launch/launch_plan.h"

namespace croft::launch {

namespace {

// One overload a kind, so that a new kind does not compile without its words.

std::string shown(std::string_view path) {
    return path.empty() ? "the tree's root" : std::string(path);
}

std::string phrase(const MakeUserns&) {
    return "making a user namespace for mapped mounts";
}
std::string phrase(const OpenTree& s) {
    std::string_view where = s.base == no_slot ? "" : " inside the tree";
    return cat(s.idmap == no_slot ? "opening " : "mapping the ids of ", shown(s.path), where);
}
std::string phrase(const OpenLoop& s) {
    return cat("attaching ", s.path, " to a loop device");
}
std::string phrase(const MakeFs& s) {
    if (s.device != no_slot || s.source.starts_with("/dev/")) return cat("mounting the ", s.type, " of the disk image");
    return cat("making a ", s.type, " file system");
}
std::string phrase(const MakeOverlay& s) {
    return cat("making an overlay of ", s.lowers.size() + (s.upper == no_slot ? 0 : 1), " layers");
}
std::string phrase(const AttachRoot&) {
    return "mounting the tree as the machine's root";
}
std::string phrase(const Attach& s) {
    return cat("mounting on ", s.target);
}
std::string phrase(const MakePoint& s) {
    return cat("making ", s.path, " in the tree");
}
std::string phrase(const CopyUp& s) {
    return cat("copying what is in ", s.from, " to the tmpfs on it");
}
std::string phrase(const MakeDir& s) {
    return cat("making the directory ", shown(s.path));
}
std::string phrase(const MakeNode& s) {
    return cat("making the device node ", s.path, " (", s.type, " ", s.major, ":", s.minor, ")");
}
std::string phrase(const MakeLink& s) {
    return cat("making the symlink ", s.path, " to ", s.target);
}
std::string phrase(const MakeFile& s) {
    return cat("making the file ", s.path);
}
std::string phrase(const MakeFifo& s) {
    return cat("making the FIFO ", s.path);
}
std::string phrase(const Remove& s) {
    return cat("removing ", s.path, " from the tree");
}
std::string phrase(const CopyFile& s) {
    return cat("copying ", s.from, " to ", s.path, " in the tree");
}
std::string phrase(const NotifySocket& s) {
    return cat("making the notify socket ", s.path);
}
std::string phrase(const SetAttr& s) {
    return cat("setting the mount attributes of ", s.target);
}
std::string phrase(const BindInside& s) {
    return s.source == s.target ? cat("protecting ", s.target) : cat("binding ", s.source, " on ", s.target);
}
std::string phrase(const Mask& s) {
    return cat("covering ", s.target);
}
std::string phrase(const DropStageApi&) {
    return "taking the stage's own proc and sysfs away";
}
std::string phrase(const EnterRoot&) {
    return "entering the tree";
}
std::string phrase(const PivotRoot& s) {
    return cat("making ", s.new_root, " the root");
}
std::string phrase(const Sysctl& s) {
    return cat("setting the kernel parameter ", s.path, " to ", quoted(s.value));
}
std::string phrase(const SetHostname& s) {
    return cat("setting the host name ", quoted(s.hostname));
}
std::string phrase(const LoopbackUp&) {
    return "bringing up the loopback interface";
}
std::string phrase(const OpenConsole& s) {
    return s.console ? "opening the console" : "opening the terminal";
}
std::string phrase(const ContainerHooks&) {
    return "waiting for the createContainer hooks";
}
std::string phrase(const Fail&) {
    return "the fault that was asked for";
}

}  // namespace

std::string describe(const Step& step) {
    return std::visit([](const auto& s) { return phrase(s); }, step);
}

}  // namespace croft::launch
