#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>

#include "base/scope.h"

namespace croft {
namespace {

Result<int> half(int value) {
    if (value % 2) return error(Errc::invalid, "odd");
    return value / 2;
}
Result<int> quarter(int value) {
    int once = TRY(half(value).within("halving once"));
    return half(once).within("halving twice");
}
Result<> nothing(bool good) {
    if (!good) return error(Errc::busy, "busy");
    return {};
}
Result<> all(bool good) {
    TRY(nothing(good));
    return {};
}
Result<std::unique_ptr<int>> owned() {
    return std::make_unique<int>(7);
}
Result<int> taken() {
    std::unique_ptr<int> pointer = TRY(owned());  // move-only values pass through
    return *pointer;
}

TEST(Result, TryPassesValuesAndErrors) {
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_EQ(quarter(3).error().text, "halving once: odd");
    EXPECT_EQ(quarter(6).error().text, "halving twice: odd");
    EXPECT_TRUE(all(true));
    EXPECT_EQ(all(false).error().code, Errc::busy);
    EXPECT_EQ(taken().value(), 7);
}

TEST(Result, ErrnoChoosesTheKind) {
    EXPECT_EQ(os_error(EPERM, "x").code, Errc::denied);
    EXPECT_EQ(os_error(EACCES, "x").code, Errc::denied);
    EXPECT_EQ(os_error(ENOENT, "x").code, Errc::not_found);
    EXPECT_EQ(os_error(ENOSPC, "x").code, Errc::no_space);
    EXPECT_EQ(os_error(EIO, "x").code, Errc::system);
    EXPECT_EQ(os_error(EPERM, "mounting /proc").text, "mounting /proc: Operation not permitted");
    EXPECT_EQ(os_error(EPERM, "x").err, EPERM);
}

TEST(Result, UnknownErrnosHaveAText) {
    EXPECT_EQ(errno_text(9999), "errno 9999");
    EXPECT_STREQ(errno_name(EPERM), "EPERM");
    EXPECT_STREQ(errno_name(9999), "?");
}

TEST(Result, TheTableHasOneRowForEachKind) {
    size_t count = 0;
    const ErrcRow* rows = errc_rows(count);
    EXPECT_EQ(count, static_cast<size_t>(Errc::system) + 1);
    std::set<std::string> names, dbus;
    for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(rows[i].code, static_cast<Errc>(i));
        EXPECT_EQ(&errc_row(static_cast<Errc>(i)), &rows[i]);
        EXPECT_TRUE(names.insert(rows[i].name).second);
        EXPECT_TRUE(dbus.insert(rows[i].dbus_name).second);
        EXPECT_GT(rows[i].exit_status, 0);
        EXPECT_NE(*rows[i].meaning, 0);
    }
}

TEST(Scope, RunsOnceUnlessDismissed) {
    int runs = 0;
    {
        OnExit guard([&] { ++runs; });
    }
    EXPECT_EQ(runs, 1);
    {
        OnExit guard([&] { ++runs; });
        guard.dismiss();
    }
    EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace croft
