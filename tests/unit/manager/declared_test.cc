#include "manager/declared.h"

#include <sys/stat.h>

#include <fstream>

#include "run_fixture.h"

namespace croft::manager {
namespace {

class DeclaredTest : public RunTest {
  protected:
    void SetUp() override {
        RunTest::SetUp();
        paths_.config = top_ + "/etc";
        ASSERT_EQ(mkdir(paths_.config.c_str(), 0755), 0);
    }
    void write(const std::string& file, const std::string& text) {
        std::string path = paths_.config + "/" + file;
        mkdir(path.substr(0, path.rfind('/')).c_str(), 0755);
        std::ofstream(path) << text;
    }
};

TEST_F(DeclaredTest, NoneIsAnEmptyList) {
    auto none = declared(paths_);
    ASSERT_TRUE(none) << none.error().text;
    EXPECT_TRUE(none->empty());
    paths_.config += "/not-there";
    EXPECT_TRUE(declared(paths_));
}

TEST_F(DeclaredTest, ListsByNameWithWhatTheFilesSay) {
    write("web.machine", "[Machine]\nDirectory=/srv/web\nMode=boot\nAutostart=yes\n");
    write("app.machine", "[Exec]\nParameters=sleep 5\n");
    write("app.machine~", "left by an editor");
    write(".machine", "no name");
    write("no_name.machine", "[Machine]\n");
    auto all = declared(paths_);
    ASSERT_TRUE(all) << all.error().text;
    ASSERT_EQ(all->size(), 2u);
    EXPECT_EQ((*all)[0].name, "app");
    EXPECT_FALSE((*all)[0].boot);
    EXPECT_EQ((*all)[0].tree, "/var/lib/machines/app");
    EXPECT_EQ((*all)[1].file, paths_.config + "/web.machine");
    EXPECT_TRUE((*all)[1].boot && (*all)[1].autostart);
    EXPECT_EQ((*all)[1].tree, "/srv/web");
    EXPECT_FALSE((*all)[1].wrong);
}

TEST_F(DeclaredTest, AMistakeStaysWithItsMachine) {
    write("bad.machine", "[Machine]\nDirectory=/srv/bad\nMode=boot\n[Resources]\nMemoryMax=lots\n");
    write("good.machine", "[Machine]\nDirectory=/srv/good\n");
    auto all = declared(paths_);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2u);
    ASSERT_TRUE((*all)[0].wrong);
    EXPECT_NE((*all)[0].wrong->text.find("bad.machine:5: MemoryMax="), std::string::npos) << (*all)[0].wrong->text;
    EXPECT_EQ((*all)[0].tree, "/srv/bad");
    EXPECT_FALSE((*all)[1].wrong);
    auto loaded = load_declared(paths_, "bad");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::invalid);
    EXPECT_EQ(loaded.error().text, (*all)[0].wrong->text);
}

TEST_F(DeclaredTest, LoadsWithDropInsAndSpecifiers) {
    write("web.machine", "[Machine]\nDirectory=/srv/%i\nMode=boot\n[Resources]\nMemoryMax=1G\n");
    write("web.machine.d/50-set.conf", "[Resources]\nMemoryMax=2G\n");
    auto loaded = load_declared(paths_, "web");
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(loaded->spec.name, "web");
    EXPECT_EQ(loaded->spec.root.directory, "/srv/web");
    EXPECT_EQ(loaded->spec.mode, spec::Mode::boot);
    EXPECT_EQ(loaded->spec.resources.memory_max, 2ull << 30);
    EXPECT_EQ(loaded->files.size(), 2u);
}

TEST_F(DeclaredTest, MaskedIsToldApart) {
    write("x.machine", "");
    ASSERT_EQ(unlink((paths_.config + "/x.machine").c_str()), 0);
    ASSERT_EQ(symlink("/dev/null", (paths_.config + "/x.machine").c_str()), 0);
    auto all = declared(paths_);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 1u);
    EXPECT_TRUE((*all)[0].masked);
    auto loaded = load_declared(paths_, "x");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::wrong_state);
}

TEST_F(DeclaredTest, AbsentSaysWhereItWasLookedForAndWhatIsNear) {
    write("web.machine", "");
    auto absent = load_declared(paths_, "wep");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, Errc::not_found);
    EXPECT_NE(absent.error().text.find("did you mean 'web'?"), std::string::npos) << absent.error().text;
    EXPECT_NE(absent.error().text.find(paths_.config), std::string::npos);
    // A name is part of a path, so what is none is never looked for.
    EXPECT_EQ(load_declared(paths_, "../etc").error().code, Errc::not_found);
    EXPECT_EQ(find_declared(paths_, "../web").error().code, Errc::not_found);
}

}  // namespace
}  // namespace croft::manager
