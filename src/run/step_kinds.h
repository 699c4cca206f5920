// Each kind of step as system calls: what launch/steps.h means, by the rules of run/context.h. Called within
// run/ only. They live in steps_mounts.cc (detached mounts), steps_attach.cc (where mounts are put),
// steps_files.cc and steps_inside.cc (what only the payload's process does).
#pragma once

#include "kernel/raw.h"
#include "launch/steps.h"
#include "run/context.h"

namespace croft::run {

long do_step(const launch::MakeUserns& step, Context& context);
long do_step(const launch::OpenTree& step, Context& context);
long do_step(const launch::OpenLoop& step, Context& context);
long do_step(const launch::MakeFs& step, Context& context);
long do_step(const launch::MakeOverlay& step, Context& context);
long do_step(const launch::AttachRoot& step, Context& context);
long do_step(const launch::Attach& step, Context& context);
long do_step(const launch::MakePoint& step, Context& context);
long do_step(const launch::CopyUp& step, Context& context);
long do_step(const launch::MakeDir& step, Context& context);
long do_step(const launch::MakeNode& step, Context& context);
long do_step(const launch::MakeLink& step, Context& context);
long do_step(const launch::MakeFile& step, Context& context);
long do_step(const launch::MakeFifo& step, Context& context);
long do_step(const launch::Remove& step, Context& context);
long do_step(const launch::CopyFile& step, Context& context);
long do_step(const launch::NotifySocket& step, Context& context);
long do_step(const launch::SetAttr& step, Context& context);
long do_step(const launch::BindInside& step, Context& context);
long do_step(const launch::Mask& step, Context& context);
long do_step(const launch::DropStageApi& step, Context& context);
long do_step(const launch::EnterRoot& step, Context& context);
long do_step(const launch::PivotRoot& step, Context& context);
long do_step(const launch::Sysctl& step, Context& context);
long do_step(const launch::SetHostname& step, Context& context);
long do_step(const launch::LoopbackUp& step, Context& context);
long do_step(const launch::OpenConsole& step, Context& context);
long do_step(const launch::ContainerHooks& step, Context& context);
long do_step(const launch::Fail& step, Context& context);

// The directory fd of a slot; without one, the machine's root, which is the working directory from AttachRoot
// on.
inline long base_of(const Context& c, Slot slot) {
    return slot == launch::no_slot ? AT_FDCWD : c.slots[slot];
}

// Puts a descriptor (or passes an error on) into a slot.
inline long fill(Context& c, Slot slot, long fd) {
    if (fd < 0) return fd;
    if (slot >= max_slots) return -EOVERFLOW;
    kernel::raw_close(c.slots[slot]);
    c.slots[slot] = static_cast<int>(fd);
    return 0;
}

// File system ids for the moment of making something, so that it belongs to them and an idmapped tree accepts
// it.
struct MakeAs {
    MakeAs(uint32_t uid, uint32_t gid) : changed(uid || gid) {
        if (!changed) return;
        kernel::raw(SYS_setfsgid, gid);
        kernel::raw(SYS_setfsuid, uid);
    }
    ~MakeAs() {
        if (!changed) return;
        kernel::raw(SYS_setfsuid, 0);
        kernel::raw(SYS_setfsgid, 0);
    }
    bool changed;
};

}  // namespace croft::run
