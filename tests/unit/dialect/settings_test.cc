// Finding and reading files, in a directory of the test's own.
#include "dialect/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "dialect/host_files.h"
#include "spec/fields.h"

namespace croft::dialect {
namespace {

class SettingsTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NE(mkdtemp(root_), nullptr);
        places = {{path("etc"), path("run"), path("usr")}, {path("nspawn-etc"), path("nspawn-run")}};
    }
    void TearDown() override { ASSERT_EQ(system(cat("rm -rf ", root_).c_str()), 0); }

    std::string path(std::string_view below) const { return cat(root_, "/", below); }
    // replace_file_at() puts its temporary file beside the name, so it takes a name and not a path.
    void put(std::string_view directory, const char* name, std::string_view text) {
        ASSERT_TRUE(make_dirs_at(AT_FDCWD, path(directory)));
        Fd fd = open_at(AT_FDCWD, path(directory).c_str(), O_RDONLY | O_DIRECTORY).value();
        ASSERT_TRUE(replace_file_at(fd.get(), name, text));
    }
    Result<FileSettings> load(Settings settings = Settings::yes) {
        return load_settings(places, "web", path("trees/debian"), settings, {});
    }
    std::string hostname(Settings settings = Settings::yes) {
        auto loaded = load(settings);
        if (!loaded) return cat("error: ", loaded.error().text);
        spec::MachineSpec spec;
        auto applied = spec::apply(loaded->patch, spec, loaded->warnings);
        return applied ? spec.integration.hostname : applied.error().text;
    }

    char root_[40] = "/tmp/croft-settings-test-XXXXXX";
    Places places;
};

TEST_F(SettingsTest, NothingThereIsNothingSaid) {
    auto loaded = load().value();
    EXPECT_TRUE(loaded.files.empty());
    EXPECT_FALSE(loaded.declared);
    EXPECT_TRUE(loaded.patch.assignments.empty());
}

TEST_F(SettingsTest, ADraftStandsForItsFile) {
    put("usr", "web.machine", "[Exec]\nHostname=usr\n");
    Draft draft{path("etc/web.machine"), "[Exec]\nHostname=draft\n"};
    auto drafted = read_machine_files(places, "web", &draft).value();
    ASSERT_EQ(drafted.size(), 1u);
    EXPECT_EQ(drafted[0].text, draft.text);
    // A drop-in that is not there yet takes its place in the order, or that of one of its name.
    put("etc/web.machine.d", "10-a.conf", "[Exec]\nHostname=a\n");
    put("run/web.machine.d", "50-set.conf", "[Exec]\nHostname=run\n");
    draft = {path("etc/web.machine.d/50-set.conf"), "[Exec]\nHostname=set\n"};
    drafted = read_machine_files(places, "web", &draft).value();
    ASSERT_EQ(drafted.size(), 3u);
    EXPECT_EQ(drafted[2].path, draft.path);
    EXPECT_EQ(drafted[2].text, draft.text);
    // An empty one hides the other and says nothing.
    draft.text.clear();
    EXPECT_EQ(read_machine_files(places, "web", &draft).value().size(), 2u);
    EXPECT_EQ(hostname(), "run");
}

TEST_F(SettingsTest, TheFirstMachineFileIsUsed) {
    put("usr", "web.machine", "[Exec]\nHostname=usr\n");
    EXPECT_EQ(hostname(), "usr");
    put("run", "web.machine", "[Exec]\nHostname=run\n");
    EXPECT_EQ(hostname(), "run");
    put("etc", "web.machine", "[Exec]\nHostname=%i-etc\n");
    EXPECT_EQ(hostname(), "web-etc");
    EXPECT_TRUE(load()->declared);
    EXPECT_EQ(hostname(Settings::no), "");
}

TEST_F(SettingsTest, DropInsApplyInTheOrderOfTheirNames) {
    put("usr", "web.machine", "[Exec]\nHostname=main\n");
    put("usr/web.machine.d", "50-a.conf", "[Exec]\nHostname=usr-50\n");
    put("etc/web.machine.d", "20-b.conf", "[Exec]\nHostname=etc-20\n");
    EXPECT_EQ(hostname(), "usr-50");
    put("etc/web.machine.d", "50-a.conf", "[Exec]\nHostname=etc-50\n");
    EXPECT_EQ(hostname(), "etc-50");
    put("etc/web.machine.d", "50-a.conf", "");
    EXPECT_EQ(hostname(), "etc-20");  // an empty one hides the one of its name
    put("etc/web.machine.d", "90-c.txt", "[Exec]\nHostname=no-conf\n");
    put("etc/web.machine.d", ".99.conf", "[Exec]\nHostname=hidden\n");
    EXPECT_EQ(hostname(), "etc-20");
    EXPECT_EQ(load()->files,
              (std::vector<std::string>{path("usr/web.machine"), path("etc/web.machine.d/20-b.conf")}));
}

TEST_F(SettingsTest, AMaskedMachineIsRefused) {
    put("usr", "web.machine", "[Exec]\nHostname=usr\n");
    put("etc", "other", "");
    ASSERT_EQ(symlink("/dev/null", path("etc/web.machine").c_str()), 0);
    EXPECT_EQ(hostname(), cat("error: machine 'web' is masked: ", path("etc/web.machine"),
                              " is a link to /dev/null; remove it"));
}

TEST_F(SettingsTest, NspawnFilesInTheirOrder) {
    put("trees", "web.nspawn", "[Exec]\nHostname=beside\n[Files]\nBind=/etc\n");
    EXPECT_EQ(hostname(), "beside");
    auto loaded = load().value();
    spec::MachineSpec spec;
    ASSERT_TRUE(spec::apply(loaded.patch, spec, loaded.warnings));
    EXPECT_TRUE(spec.mounts.empty());
    EXPECT_EQ(loaded.warnings.size(), 1u);

    loaded = load(Settings::trusted).value();
    ASSERT_TRUE(spec::apply(loaded.patch, spec, loaded.warnings));
    EXPECT_EQ(spec.mounts.size(), 1u);
    EXPECT_TRUE(loaded.warnings.empty());

    put("nspawn-run", "web.nspawn", "[Exec]\nHostname=run\n");
    EXPECT_EQ(hostname(), "run");
    put("nspawn-etc", "web.nspawn", "[Exec]\nHostname=etc\n");
    EXPECT_EQ(hostname(), "etc");
    put("usr", "web.machine", "[Exec]\nHostname=machine\n");
    EXPECT_EQ(hostname(), "machine");  // croft's own file, and then no other
}

TEST_F(SettingsTest, ANameIsNoWayOutOfTheDirectory) {
    put("", "web.machine", "[Exec]\nHostname=outside\n");
    ASSERT_TRUE(make_dirs_at(AT_FDCWD, path("etc")));
    for (const char* name : {"../web", "", ".", "..", "a/b", "/web"}) {
        auto loaded = load_settings(places, name, path("trees/debian"), Settings::yes, {});
        ASSERT_TRUE(loaded) << name;
        EXPECT_TRUE(loaded->files.empty()) << name;
    }
}

TEST_F(SettingsTest, WhatCannotBeReadIsAnError) {
    ASSERT_TRUE(make_dirs_at(AT_FDCWD, path("etc")));
    ASSERT_EQ(mkfifo(path("etc/web.machine").c_str(), 0600), 0);
    EXPECT_EQ(hostname(), cat("error: '", path("etc/web.machine"), "' is no regular file"));
    unlink(path("etc/web.machine").c_str());
    put("etc", "web.machine", std::string((1 << 20) + 1, '#'));
    EXPECT_EQ(hostname(),
              cat("error: '", path("etc/web.machine"), "': larger than the 1048576 bytes that are allowed"));
}

TEST_F(SettingsTest, OptionsHaveTheLastWordUnlessOverridden) {
    spec::SpecPatch files, options;
    const spec::Field& field = *spec::field_by_name("hostname");
    files.add(field, "file", {"f"});
    options.add(field, "option", {"--hostname"});
    auto result = [&](Settings settings) {
        spec::MachineSpec spec;
        std::vector<spec::Warning> warnings;
        EXPECT_TRUE(spec::apply(in_order(files, options, settings), spec, warnings));
        return spec.integration.hostname;
    };
    EXPECT_EQ(result(Settings::yes), "option");
    EXPECT_EQ(result(Settings::trusted), "option");
    EXPECT_EQ(result(Settings::override_options), "file");
}

TEST(Settings, Words) {
    EXPECT_EQ(parse_settings("override").value(), Settings::override_options);
    EXPECT_EQ(parse_settings("TRUE").value(), Settings::yes);
    EXPECT_EQ(parse_settings("0").value(), Settings::no);
    EXPECT_EQ(parse_settings("truste").error().text,
              "'truste' is none of yes, override, trusted, no (did you mean 'trusted'?)");
}

TEST(Settings, PathsOfAName) {
    EXPECT_EQ(machine_file_paths(system_places(), "web"),
              (std::vector<std::string>{"/etc/croft/machines/web.machine", "/run/croft/config/web.machine",
                                        "/usr/lib/croft/machines/web.machine"}));
    Places user = user_places("/home/me/.config", "");
    EXPECT_EQ(machine_file_paths(user, "web"),
              std::vector<std::string>{"/home/me/.config/croft/machines/web.machine"});
    auto paths = nspawn_file_paths(system_places(), "web", "/var/lib/machines/debian", Settings::yes);
    ASSERT_EQ(paths.size(), 3u);
    EXPECT_EQ(paths[2].path, "/var/lib/machines/web.nspawn");
    EXPECT_EQ(paths[2].trust, FileTrust::untrusted);
    EXPECT_EQ(paths[0].trust, FileTrust::trusted);
    EXPECT_EQ(nspawn_file_paths(system_places(), "web", "/tree", Settings::trusted)[2].path, "/web.nspawn");
    EXPECT_EQ(nspawn_file_paths(system_places(), "web", "/", Settings::yes).size(), 2u);
    EXPECT_TRUE(nspawn_file_paths(system_places(), "web", "/x/y", Settings::no).empty());
}

TEST_F(SettingsTest, HostFilesAreReadOnce) {
    put("", "web.env", "# comment\n\nA=from file\nB='quoted'\n  C=indented\nLANG\n");
    put("", "secret", std::string("s\0t\n", 4));
    put("", "seccomp.json", R"({"defaultAction": "SCMP_ACT_ALLOW"})");
    spec::MachineSpec spec;
    auto set = [&](const char* field, const std::string& value) {
        ASSERT_TRUE(spec::field_by_name(field)->set(spec, value));
    };
    set("env", "A=from option");
    set("env-file", path("web.env"));
    set("load-credential", cat("db:", path("secret")));
    set("set-credential", "id:given");
    set("seccomp", path("seccomp.json"));
    auto read = read_host_files(spec, {});
    ASSERT_TRUE(read) << read.error().text;
    using Pair = std::pair<std::string, std::string>;
    EXPECT_EQ(spec.process.environment.set,
              (std::vector<Pair>{{"B", "'quoted'"}, {"C", "indented"}, {"A", "from option"}}));
    EXPECT_EQ(spec.process.environment.pass, std::vector<std::string>{"LANG"});
    EXPECT_EQ(spec.integration.credentials[0].value, std::string("s\0t\n", 4));
    EXPECT_EQ(spec.integration.credentials[1].value, "given");
    ASSERT_TRUE(spec.security.seccomp);
    EXPECT_EQ(spec.security.seccomp->default_action, "SCMP_ACT_ALLOW");
    // A secret read from a file is not shown.
    EXPECT_EQ(spec::value_text(*spec::field_by_name("load-credential"), spec), cat("db:", path("secret")));
    EXPECT_EQ(spec::value_text(*spec::field_by_name("set-credential"), spec), "id:given");
}

TEST_F(SettingsTest, HostFilesThatAreWrong) {
    auto why = [&](const char* field, const std::string& value) {
        spec::MachineSpec spec;
        EXPECT_TRUE(spec::field_by_name(field)->set(spec, value));
        auto read = read_host_files(spec, {});
        return read ? "" : read.error().text;
    };
    put("", "bad.env", "A=b\nnot a name\n");
    put("", "bad.json", "{");
    EXPECT_EQ(why("env-file", path("bad.env")),
              cat("--env-file: ", path("bad.env"), ":2: 'not a name' is no NAME=VALUE"));
    EXPECT_EQ(why("env-file", path("none")),
              cat("--env-file: opening '", path("none"), "': No such file or directory"));
    EXPECT_EQ(
        why("load-credential", cat("db:", path("none"))),
        cat("--load-credential: credential 'db': opening '", path("none"), "': No such file or directory"));
    EXPECT_TRUE(
        why("seccomp", path("bad.json"))
            .starts_with(cat("--seccomp: ", path("bad.json"), ": is no JSON: parse error at line 1")));
}

}  // namespace
}  // namespace croft::dialect
