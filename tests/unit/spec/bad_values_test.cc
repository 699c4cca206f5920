// Each row of the field table, asked with what it must refuse: the whole sentence is compared, because the
// sentence is what a person gets.
#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "spec/fields.h"

namespace croft::spec {
namespace {
using namespace std::string_view_literals;

struct Bad {
    const char* field;
    std::string_view value;
    const char* sentence;
};

const Bad table[] = {
    {"name", "a_b",
     "'a_b' is no machine name: '_' is not allowed (letters, digits, '-' and '.', at most 64 characters)"},
    {"name", "", "'' is no machine name: it is empty (letters, digits, '-' and '.', at most 64 characters)"},
    {"name", "-web",
     "'-web' is no machine name: a part starts or ends with '-' (letters, digits, '-' and '.', at most 64 "
     "characters)"},
    {"rm", "perhaps", "'perhaps' is neither yes nor no"},
    {"boot", "12", "'12' is neither yes nor no"},
    {"mode", "vm", "'vm' is none of app, boot"},
    {"directory", "var/lib/machines/x",
     "'var/lib/machines/x' is no absolute path (one that starts with '/')"},
    {"image", "a\nb", "'a\\x0ab' holds a control character"},
    {"image", "raw:x", "'x' is no absolute path (one that starts with '/')"},
    {"root-hash", "abc", "'abc' is no root hash (64 to 128 hex digits, as veritysetup format prints)"},
    {"verity-data", "x", "'x' is no absolute path (one that starts with '/')"},
    {"autostart", "sometimes", "'sometimes' is neither yes nor no"},
    {"hostname", "my host",
     "'my host' is no host name (letters, digits, '-' and '.', at most 64 characters)"},
    {"hostname", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is no host name (letters, digits, "
     "'-' and '.', at most 64 characters)"},
    {"domainname", "under_score",
     "'under_score' is no host name (letters, digits, '-' and '.', at most 64 characters)"},
    {"uuid", "1234", "'1234' is no machine id (32 hex digits, or a UUID)"},
    {"uuid", "00000000-0000-0000-0000-000000000000",
     "'00000000-0000-0000-0000-000000000000' is all zeros, which means unset"},
    {"uuid", "7f5a3f0c1b2d4e6f8091a2b3c4d5e6fg",
     "'7f5a3f0c1b2d4e6f8091a2b3c4d5e6fg' is no machine id (32 hex digits, or a UUID)"},
    {"annotation", "owner", "'owner' is no KEY=VALUE"},
    {"annotation", "=alice", "'=alice' is no KEY=VALUE"},
    {"stop-signal", "SIGTREM", "'SIGTREM' is no signal (did you mean 'SIGTERM'?)"},
    {"stop-signal", "65", "'65' is no signal (SIGTERM, SIGRTMIN+3, 15, …)"},
    {"stop-signal", "RTMIN+31", "'RTMIN+31' is no signal (SIGTERM, SIGRTMIN+3, 15, …)"},
    {"stop-timeout", "soon", "'soon' is no duration (90, 90s, 1min 30s, infinity, …)"},
    {"stop-timeout", "10x", "'10x' is no duration (90, 90s, 1min 30s, infinity, …)"},
    {"notify-ready", "later", "'later' is none of yes, no, auto"},
    {"command", "a\0b"sv, "'a\\x00b' holds a zero byte, which no argument can"},
    {"init", "si", "'si' is neither yes nor no"},
    {"env", "1A=b", "'1A' is no name of an environment variable (letters, digits and '_')"},
    {"env", "FOO", "'FOO' is no NAME=VALUE"},
    {"env", "=x", "'' is no name of an environment variable (letters, digits and '_')"},
    {"pass-environment", "A=B", "'A=B' is no name of an environment variable (letters, digits and '_')"},
    {"env-file", "web.env", "'web.env' is no absolute path (one that starts with '/')"},
    {"user", "a:b:c", "'a:b:c' is no user (NAME, UID, NAME:GROUP or UID:GID)"},
    {"user", "-root", "'-root' is no user (NAME, UID, NAME:GROUP or UID:GID)"},
    {"user", "4294967295", "'4294967295' is no user (NAME, UID, NAME:GROUP or UID:GID)"},
    {"user", "65535", "'65535' is no user (NAME, UID, NAME:GROUP or UID:GID)"},
    {"user", "", "'' is no user (NAME, UID, NAME:GROUP or UID:GID)"},
    {"group-add", "4294967295", "'4294967295' is no group id (a whole number from 0 to 4294967294)"},
    {"group-add", "audio", "'audio' is no group id (a whole number from 0 to 4294967294)"},
    {"umask", "0888", "'0888' is no umask (octal, 0000 to 0777)"},
    {"umask", "1000", "'1000' is no umask (octal, 0000 to 0777)"},
    {"workdir", "srv", "'srv' is no absolute path (one that starts with '/')"},
    {"workdir", "/srv/../etc", "'/srv/../etc' holds '..', which a path inside the machine may not"},
    {"terminal", "maybe", "'maybe' is none of auto, no, yes"},
    {"interactive", "2", "'2' is neither yes nor no"},
    {"read-only", "ro", "'ro' is neither yes nor no"},
    {"volatile", "stats", "'stats' is none of no, yes, state, overlay (did you mean 'state'?)"},
    {"volatile", "all", "'all' is none of no, yes, state, overlay"},
    {"ephemeral", "x", "'x' is neither yes nor no"},
    {"pivot-root", "a", "'a' is no absolute path (one that starts with '/')"},
    {"pivot-root", "/", "'/' names the tree itself as the new root"},
    {"pivot-root", "/a:/b:/c", "'/a:/b:/c' has too many ':' (NEW[:OLD])"},
    {"pivot-root", "/a:..", "'..' holds '..', which a path inside the machine may not"},
    {"propagation", "share",
     "'share' is none of private, rprivate, slave, rslave, shared, rshared (did you mean 'shared'?)"},
    {"force-tree", "please", "'please' is neither yes nor no"},
    {"private-users-ownership", "foreign",
     "'foreign' is not available: it needs systemd-mountfsd; use map (a tree owned by root)"},
    {"private-users-ownership", "mpa", "'mpa' is none of auto, off, map, chown (did you mean 'map'?)"},
    {"private-users-chown", "who", "'who' is neither yes nor no"},
    {"bind-user", "a\nb", "'a\\x0ab' holds a control character"},
    {"bind-user-shell", "bin/sh", "'bin/sh' is no absolute path (one that starts with '/')"},
    {"bind", "srv", "'srv' is no absolute path (one that starts with '/')"},
    {"bind", "/srv:/a:b:c",
     "'/srv:/a:b:c' has too many ':' (SRC[:DST[:OPTIONS]]; write a colon of a path as '\\:')"},
    {"bind", "/srv:srv", "'srv' is no absolute path (one that starts with '/')"},
    {"bind", "/srv:/a:rbnd", "'rbnd' is no bind option (did you mean 'rbind'?)"},
    {"bind", "/srv:/a/../b", "'/a/../b' holds '..', which a path inside the machine may not"},
    {"bind", "/srv:/proc", "'/proc' cannot be covered by another mount: croft itself mounts it"},
    {"bind", "/:/", "'/' cannot be covered by another mount: croft itself mounts it"},
    {"bind", ":", "':' names no place inside the machine (SRC:DST)"},
    {"bind-ro", "/srv:/a:ro",
     "'ro' is no bind option (rbind, norbind, idmap, noidmap, rootidmap, owneridmap, nosuid, …)"},
    {"bind-ro",
     "/srv:/a:", "'' is no bind option (rbind, norbind, idmap, noidmap, rootidmap, owneridmap, nosuid, …)"},
    {"tmpfs", "tmp", "'tmp' is no absolute path (one that starts with '/')"},
    {"tmpfs", "/", "'/' cannot be covered by another mount: croft itself mounts it"},
    {"tmpfs", "/a:b:c", "'/a:b:c' has too many ':' (PATH[:OPTIONS]; write a colon of a path as '\\:')"},
    {"overlay", "/a", "'/a' names fewer than two directories (LOWER:…:UPPER:DST)"},
    {"overlay", "/a::/c:/d", "'' is no absolute path (one that starts with '/')"},
    {"overlay", "/a:b:/c", "'b' is no absolute path (one that starts with '/')"},
    {"overlay-ro", "/a::/b", "'' is no absolute path (one that starts with '/')"},
    {"overlay-ro", "/a:/b:c", "'c' is no absolute path (one that starts with '/')"},
    {"inaccessible", "boot", "'boot' is no absolute path (one that starts with '/')"},
    {"inaccessible", "/", "'/' is the whole tree"},
    {"network", "bridge", "'bridge' is no network (none, host, or the absolute path of a network namespace)"},
    {"network", "none:1", "'none:1' is no network (none, host, or the absolute path of a network namespace)"},
    {"network-private", "private", "'private' is neither yes nor no"},
    {"network-namespace-path", "run/netns/blue",
     "'run/netns/blue' is no absolute path (one that starts with '/')"},
    {"network-veth", "2", "'2' is neither yes nor no"},
    {"network-veth-extra", "aaaaaaaaaaaaaaaa",
     "'aaaaaaaaaaaaaaaa' is no interface (HOST[:INSIDE], at most 15 characters each)"},
    {"network-interface", "eth0:a/b",
     "'eth0:a/b' is no interface (HOST[:INSIDE], at most 15 characters each)"},
    {"network-macvlan", "", "'' is no interface (HOST[:INSIDE], at most 15 characters each)"},
    {"network-ipvlan", "a:b:c", "'a:b:c' is no interface (HOST[:INSIDE], at most 15 characters each)"},
    {"network-bridge", "br 0", "'br 0' is no interface name (at most 15 characters)"},
    {"network-zone", "averylongzone", "'averylongzone' is no zone (a name of at most 12 characters)"},
    {"port", "0", "'0' is no port ([tcp:|udp:]HOST[:INSIDE], 1 to 65535)"},
    {"port", "sctp:1:2", "'sctp:1:2' is no port ([tcp:|udp:]HOST[:INSIDE], 1 to 65535)"},
    {"port", "80:65536", "'80:65536' is no port ([tcp:|udp:]HOST[:INSIDE], 1 to 65535)"},
    {"private-users", "maybe",
     "'maybe' is neither no, pick, identity nor a range BASE[:COUNT] of ids below 4294967295"},
    {"private-users", "managed", "'managed' is not available: it needs systemd-nsresourced; use pick"},
    {"private-users", "65536:0",
     "'65536:0' is neither no, pick, identity nor a range BASE[:COUNT] of ids below 4294967295"},
    {"private-users", "4294901760:65536",
     "'4294901760:65536' is neither no, pick, identity nor a range BASE[:COUNT] of ids below 4294967295"},
    {"private-users", "0:65536", "'0:65536' maps the host's own root inside: use no, which says so"},
    {"private-users-delegate", "1",
     "PrivateUsersDelegate= is not available: it needs systemd-nsresourced; give the machine a larger range "
     "with PrivateUsers=BASE:COUNT"},
    {"private-users-delegate", "17", "'17' is no number of ranges (a whole number from 0 to 16)"},
    {"ipc", "shared", "'shared' is no namespace (private, host, or the absolute path of one)"},
    {"uts", "hots", "'hots' is no namespace (private, host, or the absolute path of one)"},
    {"cap-add", "NET_ADMN", "'NET_ADMN' is no capability of capabilities(7) (did you mean 'CAP_NET_ADMIN'?)"},
    {"cap-add", ",", "',' holds no capability"},
    {"cap-drop", "CAP_FOO", "'CAP_FOO' is no capability of capabilities(7)"},
    {"ambient-capability", "all", "'all' is not for ambient capabilities: name each"},
    {"ambient-capability", "NET_BIND", "'NET_BIND' is no capability of capabilities(7)"},
    {"no-new-privileges", "on off", "'on off' is neither yes nor no"},
    {"syscall-filter", "~", "'~' names no system call"},
    {"syscall-filter", "Mount", "'Mount' is no system call or group (mount, @clock, …)"},
    {"syscall-filter", "~open,cl ose!", "'ose!' is no system call or group (mount, @clock, …)"},
    {"restrict-address-families", "AF_INET7",
     "'AF_INET7' is no address family of address_families(7) (did you mean 'AF_INET'?)"},
    {"restrict-address-families", "none UNIX", "'none UNIX' mixes none with address families"},
    {"restrict-address-families", "~", "'~' names no address family"},
    {"seccomp", "profile.json", "'profile.json' is no absolute path (one that starts with '/')"},
    {"suppress-sync", "sync", "'sync' is neither yes nor no"},
    {"sysctl", "net.ipv4.ip_forward",
     "'net.ipv4.ip_forward' is no NAME=VALUE of sysctl(8) (net.ipv4.ip_forward=1)"},
    {"sysctl", ".a=1", "'.a=1' is no NAME=VALUE of sysctl(8) (net.ipv4.ip_forward=1)"},
    {"sysctl", "a b=1", "'a b=1' is no NAME=VALUE of sysctl(8) (net.ipv4.ip_forward=1)"},
    {"mask-path", "proc/kcore", "'proc/kcore' is no absolute path (one that starts with '/')"},
    {"read-only-path", "/proc/../etc", "'/proc/../etc' holds '..', which a path inside the machine may not"},
    {"memory", "12X", "'12X' is no size (512M, 2G, infinity, …)"},
    {"memory", "101%", "'101%' is no share of memory (0% to 100%)"},
    {"memory", "-1", "'-1' is no size (512M, 2G, infinity, …)"},
    {"memory", "18446744073709551616", "'18446744073709551616' is no size (512M, 2G, infinity, …)"},
    {"memory-high", "1.2.3M", "'1.2.3M' is no size (512M, 2G, infinity, …)"},
    {"memory-low", "much", "'much' is no size (512M, 2G, infinity, …)"},
    {"memory-min", "1 2", "'1 2' is no size (512M, 2G, infinity, …)"},
    {"memory-swap", "none", "'none' is no size (512M, 2G, infinity, …)"},
    {"cpus", "0", "'0' is no number of CPUs (0.01 to 8192, as 1.5)"},
    {"cpus", "0.001", "'0.001' is no number of CPUs (0.01 to 8192, as 1.5)"},
    {"cpus", "two", "'two' is no number of CPUs (0.01 to 8192, as 1.5)"},
    {"cpus", "1.1234567", "'1.1234567' is no number of CPUs (0.01 to 8192, as 1.5)"},
    {"cpu-quota", "150", "'150' is no share of a CPU (1% to 819200%, as 150%)"},
    {"cpu-quota", "0.5%", "'0.5%' is no share of a CPU (1% to 819200%, as 150%)"},
    {"cpu-period", "2s", "'2s' is no CPU period (1ms to 1s)"},
    {"cpu-period", "1us", "'1us' is no CPU period (1ms to 1s)"},
    {"cpu-weight", "0", "'0' is no CPU weight (a whole number from 1 to 10000)"},
    {"cpu-weight", "10001", "'10001' is no CPU weight (a whole number from 1 to 10000)"},
    {"allowed-cpus", "0-", "'0-' is no list of CPU numbers (0-3,6; at most 8191)"},
    {"allowed-cpus", "3-1", "'3-1' is no list of CPU numbers (0-3,6; at most 8191)"},
    {"allowed-cpus", "8192", "'8192' is no list of CPU numbers (0-3,6; at most 8191)"},
    {"allowed-memory-nodes", "a", "'a' is no list of NUMA nodes (0-1; at most 8191)"},
    {"tasks", "0", "'0' is no number of tasks (1 or more, infinity, or a share as 10%)"},
    {"tasks", "-5", "'-5' is no number of tasks (1 or more, infinity, or a share as 10%)"},
    {"tasks", "200%", "'200%' is no number of tasks (1 or more, infinity, or a share as 10%)"},
    {"io-weight", "20000", "'20000' is no I/O weight (a whole number from 1 to 10000)"},
    {"slice", "machine", "'machine' is no slice (machine.slice, …)"},
    {"slice", "a/b.slice", "'a/b.slice' is no slice (machine.slice, …)"},
    {"cgroup-parent", "batch", "'batch' is no absolute path (one that starts with '/')"},
    {"property", "MemoryMax", "'MemoryMax' is no NAME=VALUE of systemd.resource-control(5)"},
    {"property", "MemoryMx=1",
     "'MemoryMx' is no property of systemd.resource-control(5) (did you mean 'MemoryMax'?)"},
    {"property", "MemoryMax=12X", "MemoryMax=: '12X' is no size (512M, 2G, infinity, …)"},
    {"device", "/etc/passwd", "'/etc/passwd' is not below /dev (a device node, char-NAME or block-NAME)"},
    {"device", "/dev/fuse:/a:rwx", "'rwx' is no device access (of r, w and m, each at most once)"},
    {"device", "char-pts:/a", "'char-pts:/a' gives a class a place inside: only a device node has one"},
    {"device", "/dev/fuse:rr", "'rr' is no device access (of r, w and m, each at most once)"},
    {"device", "fuse", "'fuse' is no absolute path (one that starts with '/')"},
    {"device", "/dev/a:b:c:d", "'/dev/a:b:c:d' has too many ':' (PATH[:INSIDE][:ACCESS])"},
    {"oom-score-adjust", "1001", "'1001' is no OOM score adjustment (a whole number from -1000 to 1000)"},
    {"oom-score-adjust", "-1001", "'-1001' is no OOM score adjustment (a whole number from -1000 to 1000)"},
    {"cpu-affinity", "1,,x", "'1,,x' is no list of CPU numbers (0-3,6; at most 8191)"},
    {"personality", "arm", "'arm' is none of x86, x86-64"},
    {"nice", "20", "'20' is no nice level (a whole number from -20 to 19)"},
    {"cpu-scheduling-policy", "fast", "'fast' is none of other, batch, idle, fifo, rr"},
    {"cpu-scheduling-priority", "0", "'0' is no real-time priority (a whole number from 1 to 99)"},
    {"io-scheduling-class", "best", "'best' is none of realtime, best-effort, idle"},
    {"io-scheduling-priority", "8", "'8' is no I/O priority (a whole number from 0 to 7)"},
    {"apparmor-profile", "a\nb", "'a\\x0ab' holds a control character"},
    {"selinux-context", "\001", "'\\x01' holds a control character"},
    {"selinux-apifs-context", "a\tb", "'a\\x09b' holds a control character"},
    {"rlimit", "NOFILE", "'NOFILE' is no NAME=SOFT[:HARD]"},
    {"rlimit", "NOFILES=1", "'NOFILES' is no resource limit of getrlimit(2) (did you mean 'NOFILE'?)"},
    {"rlimit", "NOFILE=x", "'x' is no value of the limit NOFILE (1024, infinity, …)"},
    {"rlimit", "NOFILE=2:1", "'2:1' has a soft limit above its hard one (SOFT:HARD)"},
    {"limit-cpu", "1x", "'1x' is no value of the limit CPU (1024, infinity, …)"},
    {"limit-fsize", "many", "'many' is no value of the limit FSIZE (512M, 2G, infinity, …)"},
    {"limit-data", "-2", "'-2' is no value of the limit DATA (512M, 2G, infinity, …)"},
    {"limit-stack", "8Q", "'8Q' is no value of the limit STACK (512M, 2G, infinity, …)"},
    {"limit-core", "1:0", "'1:0' has a soft limit above its hard one (SOFT:HARD)"},
    {"limit-rss", "1..2", "'1..2' is no value of the limit RSS (512M, 2G, infinity, …)"},
    {"limit-nofile", "1K", "'1K' is no value of the limit NOFILE (1024, infinity, …)"},
    {"limit-as", "x", "'x' is no value of the limit AS (512M, 2G, infinity, …)"},
    {"limit-nproc", "all", "'all' is no value of the limit NPROC (1024, infinity, …)"},
    {"limit-memlock", "", "'' is no value of the limit MEMLOCK (512M, 2G, infinity, …)"},
    {"limit-locks", "1.5", "'1.5' is no value of the limit LOCKS (1024, infinity, …)"},
    {"limit-sigpending", "a", "'a' is no value of the limit SIGPENDING (1024, infinity, …)"},
    {"limit-msgqueue", "K", "'K' is no value of the limit MSGQUEUE (512M, 2G, infinity, …)"},
    {"limit-nice", "+20", "'20' is no nice level (a whole number from -20 to 19)"},
    {"limit-rtprio", "high", "'high' is no value of the limit RTPRIO (1024, infinity, …)"},
    {"limit-rttime", "1y", "'1y' is no value of the limit RTTIME (1024, infinity, …)"},
    {"resolv-conf", "copy",
     "'copy' is none of auto, off, delete, copy-host, copy-static, copy-uplink, copy-stub, replace-host, "
     "replace-static, replace-uplink, replace-stub, bind-host, bind-static, bind-uplink, bind-stub"},
    {"resolv-conf", "bind-hots",
     "'bind-hots' is none of auto, off, delete, copy-host, copy-static, copy-uplink, copy-stub, "
     "replace-host, replace-static, replace-uplink, replace-stub, bind-host, bind-static, bind-uplink, "
     "bind-stub (did you mean 'bind-host'?)"},
    {"timezone", "UTC", "'UTC' is none of auto, off, copy, bind, symlink, delete"},
    {"link-journal", "yes", "'yes' is none of no, auto, host, guest, try-host, try-guest"},
    {"set-credential", "novalue", "'novalue' is no ID:VALUE"},
    {"set-credential", "a/b:c", "'a/b' is no name of a credential (a file name)"},
    {"set-credential", "a:\\q", "'\\q' is no escape (\\n, \\t, \\x41, \\101, \\\\, …)"},
    {"load-credential", "id", "'id' is no ID:PATH"},
    {"load-credential", "id:file", "'file' is no absolute path (one that starts with '/')"},
    {"load-credential", "..:/x", "'..' is no name of a credential (a file name)"},
    {"unit", "After", "'After' is no KEY=VALUE of a unit file"},
    {"unit", "A b=c", "'A b=c' is no KEY=VALUE of a unit file"},
    {"service", "ExecStart=/bin/sh", "'ExecStart' is croft's own setting of the unit and cannot be changed"},
    {"service", "Ty pe=x", "'Ty pe=x' is no KEY=VALUE of a unit file"},
    {"install", "=x", "'=x' is no KEY=VALUE of a unit file"},
};

TEST(BadValues, AreRefusedWithASentence) {
    for (const Bad& bad : table) {
        const Field* field = field_by_name(bad.field);
        ASSERT_NE(field, nullptr) << bad.field;
        MachineSpec spec;
        auto result = field->set(spec, bad.value);
        ASSERT_FALSE(result) << bad.field << " took " << quoted(bad.value);
        EXPECT_EQ(result.error().text, bad.sentence) << bad.field;
        EXPECT_TRUE(result.error().code == Errc::invalid || result.error().code == Errc::unsupported)
            << bad.field;
    }
}

TEST(BadValues, ChangeNothing) {
    for (const Bad& bad : table) {
        const Field* field = field_by_name(bad.field);
        MachineSpec spec;
        EXPECT_FALSE(field->set(spec, bad.value));
        // A list such as "good,bad" may have taken the good part; a single value may not leave anything.
        if (bad.value.find_first_of(", ") == bad.value.npos)
            EXPECT_EQ(value_text(*field, spec), "") << bad.field;
    }
}

TEST(BadValues, CoverEveryRow) {
    std::set<std::string> covered;
    for (const Bad& bad : table) covered.insert(bad.field);
    for (const Field& field : fields()) EXPECT_TRUE(covered.contains(field.name)) << field.name;
}
}  // namespace
}  // namespace croft::spec
