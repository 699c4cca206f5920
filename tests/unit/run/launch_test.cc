// Real launches: what a payload is, has and sees, with and without a user namespace.
#include <signal.h>
#include <unistd.h>

#include "base/text.h"
#include "machine.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class Launch : public Machine, public ::testing::WithParamInterface<Users> {};
INSTANTIATE_TEST_SUITE_P(Users, Launch, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

TEST_P(Launch, PassesTheExitStatus) {
    EXPECT_EQ(run(plan(GetParam(), "echo hello; exit 7")), "hello\n") << failure;
    EXPECT_EQ(outcome.kind, Outcome::Kind::exited);
    EXPECT_EQ(outcome.status, 7);
}

TEST_P(Launch, IsProcessOneOfItsOwnNamespaces) {
    std::string text = run(plan(GetParam(), "echo $$; hostname; ls /proc | grep -c '^[0-9]'; for n in pid net ipc uts mnt cgroup; do readlink /proc/self/ns/$n; done"));
    std::vector<std::string> lines = split(text, '\n');
    ASSERT_GE(lines.size(), 9u) << text << failure;
    EXPECT_EQ(lines[0], "1");
    EXPECT_EQ(lines[1], "test");
    int line = 3;
    for (const char* name : {"pid", "net", "ipc", "uts", "mnt", "cgroup"}) EXPECT_NE(lines[line++], own_namespace(name)) << name;
}

}  // namespace
}  // namespace croft::run::testing
