#include "manager/record.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "base/text.h"

namespace croft::manager {
namespace {

Record full() {
    Record r;
    r.name = "web.example";
    r.boot = r.detached = r.remove = r.terminal = r.waits_ready = true;
    r.stop_signal = 37, r.stop_timeout = UINT64_MAX;
    r.init_kind = "systemd";
    r.leader = {1234, 567890}, r.keeper = {1233, 567889};
    r.created = 1'700'000'000'000'000, r.started = r.created + 5;
    r.restarts = 3;
    r.tree = "/srv/a b=c\n\\d", r.tree_read_only = true;
    r.id_base = 524288, r.id_count = 65536, r.ids_picked = true;
    r.cgroup = "/sys/fs/cgroup/croft/web.example";
    r.remove_trees = {"/var/lib/croft/scratch/web.example"};
    r.locks = {"/run/croft/trees/inode-1:2", "/run/systemd/nspawn/locks/inode-1:2"};
    r.command = {"/bin/sh", "-c", "echo 'x'\n\techo =\x7f", "", std::string("\xff\xfe\x01", 3)};
    return r;
}

void expect_same(const Record& a, const Record& b) {
    EXPECT_EQ(to_text(a), to_text(b));
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.leader, b.leader);
    EXPECT_EQ(a.keeper, b.keeper);
    EXPECT_EQ(a.tree, b.tree);
    EXPECT_EQ(a.id_base, b.id_base);
    EXPECT_EQ(a.command, b.command);
    EXPECT_EQ(a.locks, b.locks);
    EXPECT_EQ(a.remove_trees, b.remove_trees);
    EXPECT_EQ(a.stop_timeout, b.stop_timeout);
}

TEST(Record, RoundTrip) {
    for (const Record& r : {full(), [] {
                                Record small;
                                small.name = "a";
                                return small;
                            }()}) {
        auto again = parse_record(to_text(r));
        ASSERT_TRUE(again) << again.error().text;
        expect_same(r, *again);
    }
}

TEST(Record, UnknownKeysAreOfANewerCroft) {
    auto r = parse_record("name=a\ncolour=blue\n");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->name, "a");
}

TEST(Record, ForgedOnesAreRefused) {
    const char* forged[] = {
        "",                      // no name
        "name=a",                // no end of line: half written
        "name=../../etc\n",      // a name that is a path
        "name=a\nleader=1 5\n",  // init of the host
        "name=a\nleader=0 5\n"
        "leader=x\n",
        "name=a\nleader=99999999999 5\n",
        "name=a\nleader=-5 5\n",
        "name=a\nkeeper=1 0\n",
        "name=a\nremove-tree=/var/lib/croft/scratch/../../../etc\n",
        "name=a\nremove-tree=relative\n",
        "name=a\nlock=../x\n",
        "name=a\ncgroup=/sys/fs/cgroup/..\n",
        "name=a\nmode=kernel\n",
        "name=a\ndetached=maybe\n",
        "name=a\nid-base=4294967296\n",
        "name=a\nstop-signal=65\n",
        "name=a\nargument=\\x4\n",
        "name=a\nargument=\\y41\n",
        "name=a\nno equals sign\n",
    };
    for (const char* text : forged) {
        auto r = parse_record(text);
        EXPECT_FALSE(r) << text;
        if (r) continue;
        EXPECT_NE(r.error().text.find("record"), std::string::npos) << r.error().text;
    }
}

TEST(Record, AnyDamageIsRefusedOrHarmless) {
    // Whatever comes out of a damaged record must survive another round, and never name pid 1.
    std::mt19937 random(1);
    std::string good = to_text(full());
    for (int round = 0; round < 20000; ++round) {
        std::string text = good;
        for (int i = 0; i < 3; ++i) text[random() % text.size()] = static_cast<char>(random());
        if (round % 7 == 0) text.resize(random() % text.size());
        auto r = parse_record(text);
        if (!r) continue;
        EXPECT_NE(r->leader.pid, 1);
        EXPECT_GE(r->leader.pid, 0);
        auto again = parse_record(to_text(*r));
        ASSERT_TRUE(again) << again.error().text;
        expect_same(*r, *again);
    }
}

TEST(Process, StartTimeTellsProcessesApart) {
    auto start = process_start(getpid());
    ASSERT_TRUE(start);
    EXPECT_TRUE(is_alive({getpid(), *start}));
    EXPECT_FALSE(is_alive({getpid(), *start + 1}));
    EXPECT_FALSE(is_alive({0, 0}));
    EXPECT_FALSE(process_start(1 << 22));
}

}  // namespace
}  // namespace croft::manager
