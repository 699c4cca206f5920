// A bus connection that goes nowhere, for what is written to a message and read from one.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "systemd/handles.h"

namespace croft::systemd {

class DeadBus : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_GE(sd_bus_new(&bus_), 0);
        // Descriptors need a connection that can pass them; one end of a pair of sockets will do.
        int ends[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        other_ = Fd(ends[1]);
        ASSERT_GE(sd_bus_set_fd(bus_, ends[0], ends[0]), 0);
        ASSERT_GE(sd_bus_start(bus_), 0);
        begin();
    }
    void TearDown() override {
        message_ = Message();
        sd_bus_close_unref(bus_);
    }
    // A new message to write to.
    void begin() { ASSERT_GE(sd_bus_message_new_signal(bus_, message_.put(), "/x", "x.y", "Z"), 0); }
    // The message as one that was received: sealed and rewound.
    sd_bus_message* sealed() {
        EXPECT_GE(sd_bus_message_seal(message_.get(), 1, 0), 0);
        EXPECT_GE(sd_bus_message_rewind(message_.get(), 1), 0);
        return message_.get();
    }
    Fd other_;
    // Not a Bus: nobody reads what would be flushed at its end.
    sd_bus* bus_ = nullptr;
    Message message_;
};

}  // namespace croft::systemd
