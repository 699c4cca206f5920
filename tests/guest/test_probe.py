"""The guest program itself: what it says is JSON, it knows no fence where there is none, and it does as told."""
import json
import os
import subprocess
import sys
import unittest

PROBE = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "probe"
# A mount namespace of its own, because attempts mount; as an ordinary user one with a user namespace around it.
FENCE = ["unshare", "--mount", "--propagation", "private", "--fork", "--pid", "--mount-proc", "--uts", "--net"]
if os.geteuid() != 0:
    FENCE[1:1] = ["--map-root-user"]


def lines(*words, fence=FENCE, **more):
    done = subprocess.run([*fence, PROBE, *words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True,
                          timeout=120, **more)
    return [json.loads(line) for line in done.stdout.decode("ascii").splitlines()]


class Probe(unittest.TestCase):
    def test_says_json(self):
        for command in ("caps", "ids", "namespaces", "fds", "process", "args", "env", "rlimits", "tty", "mounts",
                        "root", "ps", "net"):
            said = lines(command, *(["an argument"] if command == "args" else []))
            self.assertTrue(said, command)
            self.assertTrue(all("what" in line for line in said), command)

    def test_any_byte_survives(self):
        value = bytes(range(1, 256))
        said = lines("args", value)
        self.assertEqual(said[0]["value"].encode("latin-1"), value)

    def test_tries_everything_and_leaves_nothing(self):
        before = sorted(name for name in os.listdir("/tmp") if name.startswith("probe-"))
        names = subprocess.run([PROBE, "attempts"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
        self.assertEqual(len(names), len(set(names)))
        said = lines("try")
        self.assertEqual([line["name"] for line in said], names)
        self.assertEqual(sorted(name for name in os.listdir("/tmp") if name.startswith("probe-")), before)
        answers = {line["name"]: line for line in said}
        for open_door in ("mount-tmpfs", "mount-proc", "ptrace-child", "socket-unix", "unshare-mount", "sethostname"):
            self.assertTrue(answers[open_door]["done"], answers[open_door])
        self.assertEqual(answers["unknown-syscall"]["error"], "ENOSYS")
        self.assertFalse(answers["escape-by-descriptor"]["done"])

    def test_sees_a_way_out(self):
        """chroot alone is a fence with holes: the attempts that look for them must find them."""
        if os.geteuid() != 0:
            self.skipTest("needs root for chroot")
        directory = os.open("/usr", os.O_RDONLY | os.O_DIRECTORY)
        tree = "/tmp/croft-probe-%d" % os.getpid()
        os.makedirs(tree + "/tmp")
        subprocess.run(["cp", PROBE, tree + "/probe"], check=True)
        try:
            done = subprocess.run(["chroot", tree, "/probe", "try", "chroot-escape", "escape-by-descriptor"],
                                  stdout=subprocess.PIPE, pass_fds=[directory], check=True)
        finally:
            os.close(directory)
            subprocess.run(["rm", "-rf", tree], check=True)
        said = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["done"] for line in said], [True, True], said)

    def test_does_as_told(self):
        def status(*words):
            return subprocess.run([PROBE, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        self.assertEqual(status("exit", "7"), 7)
        self.assertEqual(status("signal", "9"), -9)
        self.assertEqual(status("signal", "15"), -15)
        self.assertEqual(status("no-such-command"), 2)
        self.assertEqual(status("try", "no-such-attempt"), 2)
        echoed = subprocess.run([PROBE, "cat"], input=b"three\0streams", stdout=subprocess.PIPE)
        self.assertEqual(echoed.stdout, b"three\0streams")
        said = subprocess.run([PROBE, "say", "out", "err"], capture_output=True)
        self.assertEqual((said.stdout, said.stderr), (b"out", b"err"))


if __name__ == "__main__":
    unittest.main()
