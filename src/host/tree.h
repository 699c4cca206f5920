// What is at a tree, and whether it can be a machine's root at all. Called by facts.cc.
//
// A tree may be hostile: every path in it is walked with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS),
// only regular files are read, each up to a limit, and nothing in it is executed.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "spec/host_facts.h"
#include "spec/machine_spec.h"

namespace croft::host {

// Opens spec.root.directory and checks what can be checked from outside: it exists, is a directory, is not
// "/", is not writable by everybody. Each refusal says what to do. `facts.directory` becomes the resolved
// path.
Result<Fd> open_tree_root(const spec::MachineSpec& spec, spec::TreeFacts& facts);
// The layers of an image as the machine will see them, with what it has written itself on top. Who may not mount looks at the
// lowest layer alone: enough for a preview.
Result<Fd> open_layers(const spec::MachineSpec& spec, spec::TreeFacts& facts, bool privileged);
// The same for a disk image, whose root the caller has mounted: a descriptor of that.
Result<Fd> open_disk_root(const spec::MachineSpec& spec, int disk_root, spec::TreeFacts& facts);
// Looks inside: os-release, init, shell, machine id. Refuses what is no OS tree unless spec.root.os_check
// says so.
Result<> look_inside(int root, const spec::MachineSpec& spec, spec::TreeFacts& facts);
// Refuses a program (path inside the tree, absolute) that the kernel could not execute: not there, a
// directory, no execute bit, made for another architecture (ELF e_machine) unless a binfmt_misc handler is
// registered for it. Scripts are accepted: their interpreter is looked up by exec itself. A path that is not
// there is fine here when `must_exist` says so; exec decides then.
enum class MustExist { no, yes };
Result<> check_program(int root, const std::string& path, const spec::HostFacts& facts, MustExist must_exist);
// An idmapped mount of this file system is accepted by the kernel: tried on a detached clone.
bool idmap_works(int root);

// Reads a regular file of the tree, at most `limit` bytes. Anything else (a FIFO, a device, a link out) is an
// error.
Result<std::string> read_in_tree(int root, const char* path, size_t limit = 1 << 20);

}  // namespace croft::host
