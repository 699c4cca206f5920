#include "manager/id_ranges.h"
#include <algorithm>

#include <set>

#include "run_fixture.h"

namespace croft::manager {
namespace {

class IdRanges : public RunTest {};

TEST_F(IdRanges, TheSameNameGetsTheSameRange) {
    auto mine = claim(paths_, "web");
    auto first = pick_ids(paths_, "web");
    ASSERT_TRUE(first);
    EXPECT_GE(first->base, first_id_base);
    EXPECT_LE(first->base, last_id_base);
    EXPECT_EQ((first->base - first_id_base) % id_range_size, 0u);
    release_ids(paths_, "web", first->base);
    EXPECT_EQ(pick_ids(paths_, "web")->base, first->base);
}

TEST_F(IdRanges, NoTwoShareOne) {
    // Eight ranges, eight machines: all different, and the ninth is told so.
    constexpr uint32_t last = first_id_base + 7 * id_range_size;
    std::vector<Claim> claims;
    std::set<uint32_t> bases;
    for (int i = 0; i < 8; ++i) {
        claims.push_back(std::move(*claim(paths_, cat("m", i))));
        auto range = pick_ids(paths_, cat("m", i), first_id_base, last);
        ASSERT_TRUE(range) << range.error().text;
        bases.insert(range->base);
    }
    EXPECT_EQ(bases.size(), 8u);
    auto ninth = claim(paths_, "ninth");
    auto none = pick_ids(paths_, "ninth", first_id_base, last);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Errc::no_space);
    EXPECT_NE(none.error().text.find("--private-users"), std::string::npos);
    // One goes, and its range is free although nobody removed the mark.
    claims.pop_back();
    EXPECT_TRUE(pick_ids(paths_, "ninth", first_id_base, last));
}

TEST_F(IdRanges, KeptWhileTheRecordIs) {
    uint32_t base = 0;
    {
        auto mine = claim(paths_, "old");
        base = pick_ids(paths_, "old", first_id_base, first_id_base)->base;
        Record r = record("old");
        r.id_base = base, r.id_count = id_range_size;
        ASSERT_TRUE(mine->write(r));
        mine->keep();
    }
    auto other = claim(paths_, "new");
    EXPECT_FALSE(pick_ids(paths_, "new", first_id_base, first_id_base));
    EXPECT_EQ(in_child([&] { return claim(paths_, "old") ? 0 : 1; }), 0);  // clears what it left
    EXPECT_TRUE(pick_ids(paths_, "new", first_id_base, first_id_base));
}

TEST_F(IdRanges, RaceForTheLastOne) {
    // A stale mark that all of them may take over: one does.
    for (int round = 0; round < 20; ++round) {
        std::string uids = paths_.run + "/uids";
        mkdir(uids.c_str(), 0755);
        unlink((uids + "/524288").c_str());
        ASSERT_EQ(symlink("gone", (uids + "/524288").c_str()), 0);
        int result[2], hold[2];
        ASSERT_EQ(pipe(result), 0);
        ASSERT_EQ(pipe(hold), 0);
        std::vector<pid_t> children;
        for (int i = 0; i < 8; ++i) {
            pid_t child = fork();
            if (child == 0) {
                close(hold[1]);
                {
                    auto mine = claim(paths_, cat("m", i));
                    bool won = bool(pick_ids(paths_, cat("m", i), first_id_base, first_id_base));
                    (void)!write(result[1], won ? "w" : "l", 1);
                    char byte;
                    (void)!read(hold[0], &byte, 1);  // all keep their claims until all have answered
                }
                _exit(0);
            }
            children.push_back(child);
        }
        std::string answers(8, ' ');
        for (char& answer : answers) ASSERT_EQ(read(result[0], &answer, 1), 1);
        close(hold[0]);
        close(hold[1]);
        close(result[0]);
        close(result[1]);
        for (pid_t child : children) waitpid(child, nullptr, 0);
        EXPECT_EQ(std::count(answers.begin(), answers.end(), 'w'), 1) << answers;
    }
}

TEST_F(IdRanges, ReleaseIsForTheHolder) {
    auto mine = claim(paths_, "web");
    uint32_t base = pick_ids(paths_, "web")->base;
    release_ids(paths_, "other", base);
    char text[8];
    std::string mark = cat(paths_.run, "/uids/", base);
    EXPECT_EQ(readlink(mark.c_str(), text, sizeof text), 3);
    release_ids(paths_, "web", base);
    EXPECT_LT(readlink(mark.c_str(), text, sizeof text), 0);
}

TEST(SubIds, Parsing) {
    auto ids = parse_subids(
        "alice:100000:65536\nbob:x:5\n\nline\neve:1:2:3\n1000:4294967295:4294967295\nhuge:99999999999:1\n");
    ASSERT_EQ(ids.size(), 2u);
    EXPECT_EQ(ids[0].start, 100000u);
    EXPECT_EQ(ids[0].count, 65536u);
    EXPECT_EQ(ids[1].start, 4294967295u);
}

}  // namespace
}  // namespace croft::manager
