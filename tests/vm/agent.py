#!/usr/bin/python3
"""What runs inside a test machine: takes orders from a virtio port, runs them, and sends back their streams.

One port carries everything, because a virtio port can be opened once only and a single stream keeps order: frames of
one kind byte, a four-byte length and the bytes. From the host: 'H' hello (JSON: time, seed, mounts), 'R' run (JSON:
script, env). To the host: 'B' booted, 'K' hello done, 'O' and 'E' output, 'X' exit status. One order at a time.
The agent is started before the snapshot is taken, so a resumed machine pays neither for Python nor for a login.
"""

import fcntl
import glob
import json
import os
import select
import struct
import subprocess
import time

PORT = "croft.orders"
RNDADDENTROPY = 0x40085203
RNDRESEEDCRNG = 0x5207
# How long a stream may stay open after its program has ended, before the order counts as done: a daemon that the
# order left behind may hold it for ever.
LINGER_SECONDS = 0.5


def port_device():
    """The device of our port, by what the kernel says: udev may come to it only after the system is up."""
    while True:
        for path in glob.glob("/sys/class/virtio-ports/*/name"):
            with open(path) as name:
                if name.read().strip() == PORT:
                    return "/dev/" + path.split("/")[-2]
        time.sleep(0.1)


class Port:
    def __init__(self):
        self.fd = os.open(port_device(), os.O_RDWR | os.O_CLOEXEC)

    def send(self, kind, data=b""):
        frame = kind + struct.pack("<I", len(data)) + data
        while frame:
            frame = frame[os.write(self.fd, frame):]

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = os.read(self.fd, count - len(data))
            if piece:
                data += piece
            else:
                time.sleep(0.05)  # the host is not connected at this moment: the port reads as ended
        return data

    def receive(self):
        head = self.exactly(5)
        return head[:1], self.exactly(struct.unpack("<I", head[1:])[0])


def sh(command):
    done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


def hello(order):
    """Makes a resumed machine one of its own: the right time, new randomness, and this run's disks."""
    time.clock_settime(time.CLOCK_REALTIME, order["time"])
    seed = bytes.fromhex(order["seed"])
    fd = os.open("/dev/urandom", os.O_RDWR)
    fcntl.ioctl(fd, RNDADDENTROPY, struct.pack("ii", len(seed) * 8, len(seed)) + seed)
    fcntl.ioctl(fd, RNDRESEEDCRNG)
    os.close(fd)
    for command in order["commands"]:
        status, output = sh(command)
        if status != 0:
            return f"{command}: exit status {status}: {output}"
    return ""


def run(port, order):
    environment = {**os.environ, "HOME": "/root", "TERM": "dumb", **order["env"]}
    child = subprocess.Popen(["/bin/bash", "-c", order["script"]], cwd="/root", env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    kinds = {child.stdout.fileno(): b"O", child.stderr.fileno(): b"E"}
    ended = None
    while kinds:
        ready = select.select(list(kinds), [], [], 0.1)[0]
        for fd in ready:
            data = os.read(fd, 65536)
            if data:
                port.send(kinds[fd], data)
            else:
                del kinds[fd]
        if ended is None and child.poll() is not None:
            ended = time.monotonic()
        if ended is not None and not ready and time.monotonic() - ended > LINGER_SECONDS:
            break
    status = child.wait()
    port.send(b"X", str(status if status >= 0 else 128 - status).encode())


def main():
    port = Port()
    state = sh("systemctl is-system-running --wait")[1].strip()
    # Programs and their libraries that nearly every test needs are read once, so that the snapshot has them in memory.
    # Devices that udev has not yet come to would wake it in the middle of some test.
    sh("udevadm settle")
    sh("systemd-run --quiet --wait --pipe true; busctl list; systemd-nspawn --version; ip link; mount; findmnt; ps; stat /; sync")
    failed = sh("systemctl list-units --failed --plain --no-legend")[1]
    port.send(b"B", json.dumps({"state": state, "failed": failed}).encode())
    while True:
        kind, data = port.receive()
        order = json.loads(data)
        if kind == b"H":
            port.send(b"K", hello(order).encode())
        elif kind == b"R":
            run(port, order)


main()
