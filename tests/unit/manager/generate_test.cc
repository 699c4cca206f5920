#include "manager/generate.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "run_fixture.h"

namespace croft::manager {
namespace {

class GenerateTest : public RunTest {
  protected:
    void SetUp() override {
        RunTest::SetUp();
        paths_.config = top_ + "/etc";
        out_ = top_ + "/out";
        mkdir(paths_.config.c_str(), 0755);
        mkdir(out_.c_str(), 0755);
    }
    void declare(const std::string& name, const std::string& text) {
        std::ofstream(paths_.config + "/" + name + ".machine") << text;
    }
    Generated generate() {
        auto made = generate_units(paths_, out_, "/lib/generator");
        EXPECT_TRUE(made) << made.error().text;
        return made ? *made : Generated();
    }
    std::string drop_in(const std::string& name) {
        std::ifstream file(out_ + "/croft@" + name + ".service.d/50-croft.conf");
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }
    bool linked(const std::string& where, const std::string& name) {
        struct stat st = {};
        return lstat((out_ + "/" + where + "/croft@" + name + ".service").c_str(), &st) == 0 &&
               S_ISLNK(st.st_mode);
    }
    std::string out_;
};

TEST_F(GenerateTest, AMachineGetsWhatItsFileSays) {
    declare("web",
            "[Machine]\nDirectory=/srv/"
            "web\nStopTimeout=5s\n[Exec]\nBoot=yes\n[Resources]\nMemoryMax=512M\nCPUQuota=50%\n"
            "[Unit]\nAfter=db.service\nDescription=100% "
            "web\n[Service]\nRestart=on-failure\n[Install]\nWantedBy=a.target b.target\n");
    Generated made = generate();
    EXPECT_EQ(made.units, 1u);
    EXPECT_TRUE(made.mistakes.empty());
    std::string text = drop_in("web");
    for (const char* line :
         {"MemoryMax=512M", "CPUQuota=50%", "After=db.service", "Restart=on-failure", "TimeoutStopSec=5s",
          "KillSignal=SIGRTMIN+3", "RequiresMountsFor=/srv/web", "Delegate=yes", "Description=100%% web"})
        EXPECT_NE(text.find(std::string("\n") + line + "\n"), std::string::npos) << line << "\n" << text;
    // These are the template's, and the launcher's.
    for (const char* key : {"ExecStart=", "Type=", "WantedBy=", "[Install]"})
        EXPECT_EQ(text.find(key), std::string::npos) << key;
    EXPECT_TRUE(linked("a.target.wants", "web") && linked("b.target.wants", "web"));
    EXPECT_FALSE(linked("croft.target.wants", "web"));
}

TEST_F(GenerateTest, AutostartIsALink) {
    declare("web", "[Machine]\nAutostart=yes\n");
    declare("off", "[Machine]\nAutostart=no\n");
    generate();
    EXPECT_TRUE(linked("croft.target.wants", "web"));
    EXPECT_FALSE(linked("croft.target.wants", "off"));
}

TEST_F(GenerateTest, AMistakeFailsItsOwnUnitAndNoOther) {
    declare("bad", "[Machine]\nAutostart=yes\nDirectry=/x\n");
    declare("good", "[Machine]\nAutostart=yes\n");
    declare("link", "[Install]\nWantedBy=../../etc/passwd\n");
    Generated made = generate();
    ASSERT_EQ(made.mistakes.size(), 2u);
    EXPECT_NE(made.mistakes[0].find("bad.machine:3: "), std::string::npos) << made.mistakes[0];
    EXPECT_NE(made.mistakes[1].find("is no name of a unit"), std::string::npos) << made.mistakes[1];
    EXPECT_NE(drop_in("bad").find("\nExecStart=\nExecStart=\"/lib/generator\" --refuse bad\n"),
              std::string::npos)
        << drop_in("bad");
    EXPECT_NE(drop_in("bad").find("# "), std::string::npos);
    EXPECT_TRUE(linked("croft.target.wants", "bad")) << "its failure is seen at boot";
    EXPECT_TRUE(linked("croft.target.wants", "good"));
    EXPECT_EQ(drop_in("good").find("ExecStart"), std::string::npos);
}

// Who can write there already could do worse; but nothing outside of the directory is ever ours.
TEST_F(GenerateTest, LinksInTheWayAreNotFollowed) {
    mkdir((top_ + "/elsewhere").c_str(), 0755);
    ASSERT_EQ(symlink("../elsewhere", (out_ + "/croft@web.service.d").c_str()), 0);
    ASSERT_EQ(symlink("../elsewhere", (out_ + "/croft.target.wants").c_str()), 0);
    declare("web", "[Machine]\nAutostart=yes\n");
    Generated made = generate();
    EXPECT_FALSE(made.mistakes.empty());
    EXPECT_FALSE(exists("elsewhere/50-croft.conf"));
    EXPECT_FALSE(exists("elsewhere/croft@web.service"));
}

TEST_F(GenerateTest, MaskedAndNothingAreNoUnits) {
    ASSERT_EQ(symlink("/dev/null", (paths_.config + "/off.machine").c_str()), 0);
    EXPECT_EQ(generate().units, 0u);
    EXPECT_FALSE(exists("out/croft@off.service.d"));
}

TEST_F(GenerateTest, RunningItTwiceIsTheSame) {
    declare("web", "[Machine]\nAutostart=yes\n");
    generate();
    std::string first = drop_in("web");
    EXPECT_TRUE(generate().mistakes.empty());
    EXPECT_EQ(drop_in("web"), first);
}

}  // namespace
}  // namespace croft::manager
