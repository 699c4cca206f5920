"""A program on a terminal, driven from the other end: what the fixture `terminal` hands to a test."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time


def shell_status(returncode):
    """128+n for signal n, as a shell says it."""
    return returncode if returncode >= 0 else 128 - returncode


class Terminal:
    """A program on a terminal of its own, driven from the other end."""

    def __init__(self, words, rows=24, columns=80, env=None):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.seen = b""
        self.child = subprocess.Popen([str(word) for word in words], stdin=slave, stdout=slave, stderr=slave,
                                      env={**os.environ, "TERM": "xterm", **(env or {})}, start_new_session=True,
                                      preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def resize(self, rows, columns):
        """The kernel tells the program with SIGWINCH, as it does when a window is drawn larger."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self):
        """termios.tcgetattr of the terminal: is it raw, does it echo?"""
        return termios.tcgetattr(self.master)

    def send(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def read_some(self, seconds):
        if not select.select([self.master], [], [], max(0, seconds))[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return None
        self.seen += data
        return bool(data)

    def expect(self, pattern, timeout=30):
        """Reads until the regular expression appears; returns the match and forgets what came up to its end."""
        until = time.monotonic() + timeout
        wanted = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)
        while True:
            found = wanted.search(self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return found
            left = until - time.monotonic()
            if left <= 0 or self.read_some(left) is None:
                raise AssertionError(f"{pattern!r} did not come in {timeout} s; what came: {self.seen!r}")

    def rest(self, timeout=30):
        """Everything until the program ends, and its exit status."""
        until = time.monotonic() + timeout
        while time.monotonic() < until and self.read_some(0.1) is not None:
            if self.child.poll() is not None and not self.read_some(0):
                break
        return self.seen.decode(errors="replace"), shell_status(self.child.wait(max(0.1, until - time.monotonic())))

    def close(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        os.close(self.master)
