// Each row of the field table, asked with what it takes: the canonical text that comes back, that this text
// means the same as what was written, and that an empty assignment undoes it.
#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "spec/fields.h"

namespace croft::spec {
namespace {
using namespace std::string_view_literals;

struct Good {
    const char* field;
    std::string_view value;
    std::vector<std::string> canonical;  // what get() returns; nothing when the value is the default
};

const Good table[] = {
    {"name", "web.example", {"web.example"}},
    {"rm", "yes", {"yes"}},
    {"boot", "TRUE", {"yes"}},
    {"boot", "no", {}},
    {"mode", "boot", {}},
    {"directory", "//var/./lib/machines/x/", {"/var/lib/machines/x"}},
    {"root-hash", "0B7AB8CBC1D1AB0E0D5BD63E0AC5E2CDBCC7E7B1B3FBAB0B3F7E3F9A11F9A2C4",
     {"0b7ab8cbc1d1ab0e0d5bd63e0ac5e2cdbcc7e7b1b3fbab0b3f7e3f9a11f9a2c4"}},
    {"verity-data", "/srv//web.verity", {"/srv/web.verity"}},
    {"autostart", "on", {"yes"}},
    {"hostname", "web.example.org", {"web.example.org"}},
    {"domainname", "example.org", {"example.org"}},
    {"uuid", "7F5A3F0C-1B2D-4E6F-8091-A2B3C4D5E6F7", {"7f5a3f0c1b2d4e6f8091a2b3c4d5e6f7"}},
    {"annotation", "owner=alice smith", {"owner=alice smith"}},
    {"annotation", "k=a=b", {"k=a=b"}},
    {"stop-signal", "term", {"SIGTERM"}},
    {"stop-signal", "15", {"SIGTERM"}},
    {"stop-signal", "RTMIN+3", {"SIGRTMIN+3"}},
    {"stop-signal", "37", {"SIGRTMIN+3"}},
    {"stop-signal", "SIGRTMAX-1", {"SIGRTMIN+29"}},
    {"stop-timeout", "90", {"1min 30s"}},
    {"stop-timeout", "1min 30s", {"1min 30s"}},
    {"stop-timeout", "infinity", {"infinity"}},
    {"stop-timeout", "0.25", {"250ms"}},
    {"notify-ready", "yes", {"yes"}},
    {"notify-ready", "0", {"no"}},
    {"notify-ready", "auto", {}},
    {"command", "a b", {"a b"}},
    {"command", "", {""}},
    {"init", "yes", {"yes"}},
    {"env", "LANG=C.UTF-8", {"LANG=C.UTF-8"}},
    {"env", "EMPTY=", {"EMPTY="}},
    {"env", "A=b c=d", {"A=b c=d"}},
    {"pass-environment", "LANG", {"LANG"}},
    {"env-file", "/etc/web.env", {"/etc/web.env"}},
    {"user", "www-data", {"www-data"}},
    {"user", "0", {"0"}},
    {"user", "1000:100", {"1000:100"}},
    {"user", "alice@example.org:staff", {"alice@example.org:staff"}},
    {"group-add", "44", {"44"}},
    {"umask", "027", {"0027"}},
    {"umask", "0", {"0000"}},
    {"umask", "0022", {"0022"}},
    {"workdir", "/srv//www/", {"/srv/www"}},
    {"terminal", "yes", {"yes"}},
    {"terminal", "no", {"no"}},
    {"terminal", "auto", {}},
    {"interactive", "yes", {"yes"}},
    {"read-only", "yes", {"yes"}},
    {"read-only", "no", {}},
    {"volatile", "overlay", {"overlay"}},
    {"volatile", "1", {"yes"}},
    {"volatile", "false", {}},
    {"ephemeral", "yes", {"yes"}},
    {"pivot-root", "/a", {"/a"}},
    {"pivot-root", "/a:/b", {"/a:/b"}},
    {"pivot-root", "/a\\:b", {"/a\\:b"}},
    {"propagation", "rslave", {"rslave"}},
    {"force-tree", "yes", {"yes"}},
    {"force-tree", "no", {}},
    {"private-users-ownership", "map", {"map"}},
    {"private-users-ownership", "auto", {}},
    {"private-users-ownership", "chown", {"chown"}},
    {"private-users-chown", "no", {}},
    {"bind-user", "alice", {"alice"}},
    {"bind-user-shell", "yes", {"yes"}},
    {"bind-user-shell", "/bin/bash", {"/bin/bash"}},
    {"bind", "/srv", {"/srv"}},
    {"bind", "/srv:/srv", {"/srv"}},
    {"bind", "/srv/:/a", {"/srv:/a"}},
    {"bind", "+/srv:/a", {"+/srv:/a"}},
    {"bind", "+/srv", {"+/srv"}},
    {"bind", ":/a", {":/a"}},
    {"bind",
     "/a\\:b:/c\\:d:norbind,owneridmap,rslave,nosuid",
     {"/a\\:b:/c\\:d:norbind,owneridmap,rslave,nosuid"}},
    {"bind", "/srv::noidmap", {"/srv:/srv:noidmap"}},
    {"bind-ro", "/srv", {"/srv"}},
    {"bind-ro", "/a:/b:idmap", {"/a:/b:idmap"}},
    {"tmpfs", "/a", {"/a"}},
    {"tmpfs", "/a\\:b:size=64M,mode=0755", {"/a\\:b:size=64M,mode=0755"}},
    {"overlay", "/a:/b", {"/a:/b:/b"}},
    {"overlay", "/a:/b:/c", {"/a:/b:/c"}},
    {"overlay", "/a:+/b::/c", {"/a:+/b::/c"}},
    {"overlay", "/a:+/b", {"/a:+/b:/b"}},
    {"overlay-ro", "/a:/b:/c", {"/a:/b:/c"}},
    {"inaccessible", "/boot/", {"/boot"}},
    {"inaccessible", "/a:b", {"/a:b"}},
    {"network", "none", {"none"}},
    {"network", "host", {"host"}},
    {"network", "/run/netns/blue", {"/run/netns/blue"}},
    {"network-private", "yes", {"yes"}},
    {"network-private", "no", {"no"}},
    {"network-namespace-path", "/run/netns/blue", {"/run/netns/blue"}},
    {"network-veth", "yes", {"yes"}},
    {"network-veth-extra", "ve-db:db0", {"ve-db:db0"}},
    {"network-interface", "eth1", {"eth1"}},
    {"network-macvlan", "eth0", {"eth0"}},
    {"network-ipvlan", "eth0:iv0", {"eth0:iv0"}},
    {"network-bridge", "br0", {"br0"}},
    {"network-zone", "web", {"web"}},
    {"port", "80", {"tcp:80:80"}},
    {"port", "udp:53:5353", {"udp:53:5353"}},
    {"port", "tcp:8080:80", {"tcp:8080:80"}},
    {"private-users", "pick", {"pick"}},
    {"private-users", "yes", {"pick"}},
    {"private-users", "no", {"no"}},
    {"private-users", "0", {"no"}},
    {"private-users", "identity", {"identity"}},
    {"private-users", "auto", {}},
    {"private-users", "1048576", {"1048576:65536"}},
    {"private-users", "1048576:131072", {"1048576:131072"}},
    {"private-users-delegate", "0", {}},
    {"ipc", "host", {"host"}},
    {"ipc", "private", {}},
    {"ipc", "/proc/1/ns/ipc", {"/proc/1/ns/ipc"}},
    {"uts", "host", {"host"}},
    {"cap-add", "net_admin", {"CAP_NET_ADMIN"}},
    {"cap-add", "CAP_NET_ADMIN,sys_time", {"CAP_NET_ADMIN", "CAP_SYS_TIME"}},
    {"cap-add", "all", {"all"}},
    {"cap-drop", "all", {"all"}},
    {"cap-drop", "CHOWN KILL", {"CAP_CHOWN", "CAP_KILL"}},
    {"ambient-capability", "NET_BIND_SERVICE", {"CAP_NET_BIND_SERVICE"}},
    {"no-new-privileges", "yes", {"yes"}},
    {"no-new-privileges", "no", {"no"}},
    {"syscall-filter", "@clock,mount", {"@clock mount"}},
    {"syscall-filter", "~@keyring  bpf", {"~@keyring bpf"}},
    {"restrict-address-families", "unix AF_INET", {"AF_UNIX AF_INET"}},
    {"restrict-address-families", "~NETLINK", {"~AF_NETLINK"}},
    {"restrict-address-families", "none", {"none"}},
    {"seccomp", "/etc/s.json", {"/etc/s.json"}},
    {"seccomp", "off", {"off"}},
    {"suppress-sync", "true", {"yes"}},
    {"sysctl", "net/ipv4/ip_forward = 1", {"net.ipv4.ip_forward=1"}},
    {"sysctl", "kernel.msgmax=65536", {"kernel.msgmax=65536"}},
    {"mask-path", "/proc/kcore", {"/proc/kcore"}},
    {"mask-path", "none", {"none"}},
    {"read-only-path", "/proc/sys", {"/proc/sys"}},
    {"memory", "512M", {"512M"}},
    {"memory", "1024", {"1K"}},
    {"memory", "1.5G", {"1536M"}},
    {"memory", "infinity", {"infinity"}},
    {"memory", "50%", {"50%"}},
    {"memory-high", "400m", {"400M"}},
    {"memory-low", "0", {"0"}},
    {"memory-min", "1", {"1"}},
    {"memory-swap", "0", {"0"}},
    {"cpus", "1.5", {"1.5"}},
    {"cpus", "0.01", {"0.01"}},
    {"cpus", "8192", {"8192"}},
    {"cpus", "1.2345", {"1.2345"}},
    {"cpu-quota", "150%", {"150%"}},
    {"cpu-quota", "12.5%", {"12.5%"}},
    {"cpu-period", "10ms", {"10ms"}},
    {"cpu-weight", "50", {"50"}},
    {"cpu-weight", "idle", {"idle"}},
    {"allowed-cpus", "6 0-3,2", {"0-3,6"}},
    {"allowed-memory-nodes", "0", {"0"}},
    {"tasks", "512", {"512"}},
    {"tasks", "infinity", {"infinity"}},
    {"tasks", "10%", {"10%"}},
    {"io-weight", "50", {"50"}},
    {"slice", "web.slice", {"web.slice"}},
    {"cgroup-parent", "/batch/", {"/batch"}},
    {"property", "IOReadBandwidthMax=/dev/sda 10M", {"IOReadBandwidthMax=/dev/sda 10M"}},
    {"property", "MemoryMax=1G", {}},
    {"property", "DevicePolicy = closed", {"DevicePolicy=closed"}},
    {"device", "/dev/fuse", {"/dev/fuse"}},
    {"device", "/dev/fuse:rw", {"/dev/fuse:rw"}},
    {"device", "/dev/sda:/dev/xvda:wr", {"/dev/sda:/dev/xvda:rw"}},
    {"device", "char-pts:rw", {"char-pts:rw"}},
    {"oom-score-adjust", "-500", {"-500"}},
    {"oom-score-adjust", "0", {"0"}},
    {"cpu-affinity", "1 2,3 7", {"1-3,7"}},
    {"personality", "x86-64", {"x86-64"}},
    {"nice", "-20", {"-20"}},
    {"cpu-scheduling-policy", "fifo", {"fifo"}},
    {"cpu-scheduling-priority", "10", {"10"}},
    {"io-scheduling-class", "best-effort", {"best-effort"}},
    {"io-scheduling-priority", "4", {"4"}},
    {"apparmor-profile", "croft-default", {"croft-default"}},
    {"selinux-context", "system_u:system_r:container_t:s0", {"system_u:system_r:container_t:s0"}},
    {"selinux-apifs-context", "a:b", {"a:b"}},
    {"rlimit", "NOFILE=1024:524288", {"NOFILE=1024:524288"}},
    {"rlimit", "rlimit_core=unlimited", {"CORE=infinity"}},
    {"rlimit", "memlock=8M", {"MEMLOCK=8M"}},
    {"limit-cpu", "60:90", {"60:90"}},
    {"limit-cpu", "1min", {"60"}},
    {"limit-fsize", "1G", {"1G"}},
    {"limit-data", "512M", {"512M"}},
    {"limit-stack", "8M:infinity", {"8M:infinity"}},
    {"limit-core", "0", {"0"}},
    {"limit-rss", "1M", {"1M"}},
    {"limit-nofile", "1024:infinity", {"1024:infinity"}},
    {"limit-as", "4G", {"4G"}},
    {"limit-nproc", "infinity", {"infinity"}},
    {"limit-memlock", "8M", {"8M"}},
    {"limit-locks", "10", {"10"}},
    {"limit-sigpending", "4096", {"4096"}},
    {"limit-msgqueue", "819200", {"800K"}},
    {"limit-nice", "-5", {"25"}},
    {"limit-nice", "30", {"30"}},
    {"limit-rtprio", "99", {"99"}},
    {"limit-rttime", "200ms", {"200000"}},
    {"resolv-conf", "bind-host", {"bind-host"}},
    {"timezone", "symlink", {"symlink"}},
    {"link-journal", "try-guest", {"try-guest"}},
    {"set-credential", "a:x\\ty\\x00z", {"a:x\\ty\\x00z"}},
    {"set-credential", "a:", {"a:"}},
    {"load-credential", "db.password:/etc/x:y", {"db.password:/etc/x:y"}},
    {"unit", "After=network-online.target", {"After=network-online.target"}},
    {"unit", "After=", {"After="}},
    {"service", "Restart=on-failure", {"Restart=on-failure"}},
    {"install", "WantedBy=machines.target", {"WantedBy=machines.target"}},
};

TEST(GoodValues, ComeBackAsCanonicalText) {
    for (const Good& good : table) {
        const Field* field = field_by_name(good.field);
        ASSERT_NE(field, nullptr) << good.field;
        MachineSpec spec;
        auto result = field->set(spec, good.value);
        ASSERT_TRUE(result) << good.field << ": " << result.error().text;
        EXPECT_EQ(field->get(spec), good.canonical) << good.field << " " << quoted(good.value);
    }
}

TEST(GoodValues, CanonicalTextMeansTheSame) {
    for (const Good& good : table) {
        const Field* field = field_by_name(good.field);
        MachineSpec spec;
        for (const std::string& text : good.canonical) {
            auto result = field->set(spec, text);
            ASSERT_TRUE(result) << good.field << ": " << result.error().text;
        }
        EXPECT_EQ(field->get(spec), good.canonical) << good.field;
    }
}

TEST(GoodValues, AnEmptyAssignmentUndoesThem) {
    for (const Good& good : table) {
        const Field* field = field_by_name(good.field);
        MachineSpec spec;
        ASSERT_TRUE(field->set(spec, good.value));
        // "MemoryMax=1G" is the row "memory", which has a reset of its own.
        if (std::string(good.field) == "property" && good.canonical.empty()) continue;
        field->reset(spec);
        // Not only this row: nothing at all may be left.
        for (const Field& other : fields())
            EXPECT_EQ(value_text(other, spec), "") << good.field << " left " << other.name;
    }
}

TEST(GoodValues, CoverEveryRow) {
    std::set<std::string> covered;
    for (const Good& good : table) covered.insert(good.field);
    covered.insert("image");  // refuses everything until images come
    for (const Field& field : fields()) EXPECT_TRUE(covered.contains(field.name)) << field.name;
}
}  // namespace
}  // namespace croft::spec
