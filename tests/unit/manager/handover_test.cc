// What a starting command and a launcher say to each other.
#include "manager/handover.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace croft::manager {
namespace {

struct Ends {
    Fd ours, theirs;
};
Ends pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    return {Fd(ends[0]), Fd(ends[1])};
}

TEST(Handover, ARequestBringsItsDescriptors) {
    Ends ends = pair();
    Pipe pipe = *make_pipe();
    StartRequest request;
    request.has_streams = true, request.kill_step = 7;
    ASSERT_TRUE(send_request(ends.ours.get(), request, {pipe.write.get(), 0, 1}));
    std::vector<Fd> descriptors;
    auto got = receive_request(ends.theirs.get(), descriptors);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->has_streams);
    EXPECT_EQ(got->kill_step, 7);
    ASSERT_EQ(descriptors.size(), 3u);
    EXPECT_EQ(write(descriptors[0].get(), "x", 1), 1);
    char c = 0;
    EXPECT_EQ(read(pipe.read.get(), &c, 1), 1);
    EXPECT_EQ(c, 'x');
    EXPECT_TRUE(fcntl(descriptors[0].get(), F_GETFD) & FD_CLOEXEC);
}

TEST(Handover, TooManyDescriptorsAreRefusedAtBothEnds) {
    Ends ends = pair();
    Result<> sent = send_request(ends.ours.get(), StartRequest(), std::vector<int>(17, 0));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, Errc::no_space);
    EXPECT_EQ(sent.error().text, "handing over a machine: 17 descriptors are too many for one message (at most 16)");
    // Nothing of it was sent: the next message is the next request.
    ASSERT_TRUE(send_request(ends.ours.get(), StartRequest(), std::vector<int>(16, 0)));
    std::vector<Fd> descriptors;
    ASSERT_TRUE(receive_request(ends.theirs.get(), descriptors));
    EXPECT_EQ(descriptors.size(), 16u);
    // And of who sends more all the same nothing is taken.
    StartRequest request;
    iovec data = {&request, sizeof request};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 17)] = {};
    msghdr message = {};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int) * 17);
    ASSERT_GE(sendmsg(ends.ours.get(), &message, 0), 0);
    descriptors.clear();
    auto got = receive_request(ends.theirs.get(), descriptors);
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().text.find("taking over a machine: a message is longer"), std::string::npos) << got.error().text;
    EXPECT_TRUE(descriptors.empty());
}

TEST(Handover, AnErrorArrivesAsItWas) {
    Ends ends = pair();
    Error sent = error(Errc::no_command, "there is no command 'x y' in the tree");
    sent.err = 2;
    send_failure(ends.theirs.get(), sent);
    auto got = receive_answer(ends.ours.get());
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::no_command);
    EXPECT_EQ(got.error().err, 2);
    EXPECT_EQ(got.error().text, sent.text);
}

TEST(Handover, WhoIsKilledIsToldFromWhoAnswers) {
    Ends ends = pair();
    ASSERT_TRUE(send_launched(ends.theirs.get(), 1234));
    EXPECT_EQ(*receive_answer(ends.ours.get()), 1234);
    ends.theirs.reset();
    auto got = receive_answer(ends.ours.get());
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().text.find("was killed"), std::string::npos);
}

TEST(Handover, NonsenseIsAnError) {
    Ends ends = pair();
    for (const char* nonsense : {"", "S", "L", "Lx", "E", "E1", "something else"}) {
        ASSERT_GE(send(ends.theirs.get(), nonsense, strlen(nonsense), 0), 0);
        if (*nonsense) EXPECT_FALSE(receive_answer(ends.ours.get())) << nonsense;
    }
    std::vector<Fd> descriptors;
    ASSERT_EQ(send(ends.ours.get(), "Sx", 2, 0), 2);
    EXPECT_FALSE(receive_request(ends.theirs.get(), descriptors));
}

}  // namespace
}  // namespace croft::manager
