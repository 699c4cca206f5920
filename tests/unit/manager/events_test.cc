#include "manager/events.h"

#include <set>

#include "run_fixture.h"

namespace croft::manager {
namespace {

TEST(EventNames, ReadBackAsTheyAreWritten) {
    for (Event event : {Event::prepared, Event::started, Event::ready, Event::stopping, Event::exited,
                        Event::rebooted, Event::frozen, Event::thawed, Event::config})
        EXPECT_EQ(event_named(event_name(event)), event) << event_name(event);
    EXPECT_FALSE(event_named(""));
    EXPECT_FALSE(event_named("exploded"));
}

TEST(JournalEntry, HasAFieldForEachThing) {
    std::string entry = journal_entry({"web", Event::exited, "exited with status 3", 0, 0});
    EXPECT_NE(entry.find("MESSAGE=machine web has ended: exited with status 3\n"), std::string::npos)
        << entry;
    EXPECT_NE(entry.find("\nCROFT_MACHINE=web\n"), std::string::npos);
    EXPECT_NE(entry.find("\nCROFT_EVENT=exited\n"), std::string::npos);
    EXPECT_NE(entry.find("\nCROFT_DETAIL=exited with status 3\n"), std::string::npos);
    EXPECT_EQ(entry.find("CROFT_LEADER"), std::string::npos);
    EXPECT_NE(journal_entry({"web", Event::started, "", 0, 77}).find("\nCROFT_LEADER=77\n"),
              std::string::npos);
}

// A value with a line end has its length before it, or it could make fields of its own.
TEST(JournalEntry, AValueOfTwoLinesIsOneValue) {
    std::string entry = journal_entry({"web", Event::config, "a\nPRIORITY=0", 0, 0});
    std::string value("CROFT_DETAIL\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n", 34);
    EXPECT_NE(entry.find(value), std::string::npos);
    EXPECT_EQ(entry.find("CROFT_DETAIL="), std::string::npos);
}

TEST(JournalEntry, EachKindHasAnIdOfItsOwn) {
    std::set<std::string> ids;
    for (Event event : {Event::prepared, Event::started, Event::ready, Event::stopping, Event::exited,
                        Event::rebooted, Event::frozen, Event::thawed, Event::config}) {
        std::string entry = journal_entry({"web", event, "", 0, 0});
        size_t at = entry.find("MESSAGE_ID=");
        ASSERT_NE(at, std::string::npos);
        EXPECT_TRUE(ids.insert(entry.substr(at + 11, 32)).second) << entry;
    }
}

}  // namespace
}  // namespace croft::manager
