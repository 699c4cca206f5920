// Machines with a keeper: a process that launches the machine and then becomes croft-hold. Called by
// start.cc, ready.cc and relaunch.cc; attach_console() also by exec.cc.
#pragma once

#include <functional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "launch/outcome.h"
#include "manager/prepare.h"

namespace croft::manager {

struct KeptStart {
    int leader = 0, keeper = 0;
    Fd connection;  // to the keeper, as from connect_attach(): with Attach::yes only
    Fd ready;       // of a boot: ends when the machine is ready, or ends, or is launched again
};
enum class Attach { no, yes };
// Makes the keeper, which launches. When this returns well, croft-hold is running; an error is the launch's
// own, and the keeper is gone. The machine stays the caller's to clear until it calls keep(). Where the keeper is killed
// halfway, the whole process ends with 125, having said so and cleared up.
Result<KeptStart> start_detached(Prepared& machine, Attach attach);

// What the starting command has the other ends of.
struct KeeperEnds {
    Fd status;  // gets the leader's pid when the machine runs; its end tells that croft-hold does
    Fd ready;   // croft-hold's: ends when the machine is ready
    Fd client;  // attached to the console from the start
};
// In the process that shall be the keeper: launches and becomes croft-hold. Returns only with an error, and
// then nothing of the launch is left.
Error launch_and_hold(Prepared& machine, KeeperEnds ends);

// The two ends of a keeper's status pipe: what a keeper that could not launch says, and who waits for it to have
// launched: the leader's pid.
void send_error(int fd, const Error& e);
Result<> send_leader(int fd, int leader);
Result<int> await_launched(Fd status);
// In a process that lives as long as the machine: nothing of the caller's stays open.
void drop_streams();

struct AttachOptions {
    std::string detach_keys;  // "": the default ones
    bool boot = false;
    int directory = -1;  // of the machine: watched for readiness, and where to connect again after a reboot
    std::function<void()> ready;  // called once; none: nobody waits
    // Asked when the keeper has gone without a last word, as it does where the machine is a unit.
    std::function<Result<launch::Outcome>()> ended;
};
// As run::connect_attach(), after a reboot: the keeper is another program for a moment, and then listens again.
Result<Fd> connect_again(int directory);
// Gives this terminal to the console behind a connection, until the machine ends (a reboot is no end) or the
// user leaves: then the outcome is "running".
Result<launch::Outcome> attach_console(Fd connection, const AttachOptions& options);

}  // namespace croft::manager
