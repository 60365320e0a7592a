# SPDX-License-Identifier: MIT
"""The saved machine: taken while dom0 waits for its first order, restored for each run.

A snapshot is the machine's memory in a sparse file (RAM) and everything else in a small one
(STATE). A run maps RAM copy-on-write, so that any number of runs share one snapshot and none can
spoil it. A snapshot that is missing, made from other inputs, touched, or that does not come to life
is made anew. image.py has what is booted, machine.py how.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess

from image import BedError, Image, write
from machine import CLOCKS, MEMORY_MIB, QEMU, SAVED_AS, Machine, arguments

BOOT_LIMIT_S = 600
RESTORE_LIMIT_S = 60


class BrokenSnapshot(BedError):
    """The saved machine does not come back to life."""


class Snapshot:
    """The saved machine of one Xen version and clock, in build/bed/<version>/<clock>/."""

    alive_limit_s = RESTORE_LIMIT_S     # from restore() until dom0 takes its order

    def __init__(self, xen, clock):
        if clock not in CLOCKS:
            raise BedError(f"no clock called {clock}: choose one of {', '.join(CLOCKS)}")
        self.image, self.clock, self.saved_as = Image(xen), clock, SAVED_AS.get(clock, clock)
        self.dir = os.path.join(self.image.dir, self.saved_as)
        self.ram, self.state, self.stamp, self.boot_log = (
            os.path.join(self.dir, name) for name in ("ram", "state", "stamp.json", "boot.log"))

    def inputs(self):
        """What the snapshot was made from; another answer than the stamp's means: make it anew."""
        qemu = os.stat(shutil.which(QEMU[self.image.arch]) or "/")
        return repr((qemu.st_size, qemu.st_mtime_ns, self.image.read_stamp(), self.image.inputs(),
                     arguments(self.image, self.saved_as, self.ram, True)))

    def file_marks(self):
        """Cheap signs that nobody has touched the files since they were made."""
        marks = []
        for path in (self.ram, self.state):
            status = os.stat(path)
            marks.append([status.st_size, status.st_mtime_ns])
        with open(self.state, "rb") as file:
            marks.append(hashlib.sha256(file.read()).hexdigest())
        return marks

    def good(self):
        try:
            with open(self.stamp) as file:
                stamp = json.load(file)
            return stamp["inputs"] == self.inputs() and stamp["marks"] == self.file_marks()
        except (OSError, ValueError, KeyError):
            return False

    def ensure(self, say):
        """Build the image and the snapshot unless they are there, current and whole."""
        os.makedirs(self.dir, exist_ok=True)
        with locked(os.path.join(self.image.dir, "lock"), fcntl.LOCK_EX, say):
            self.image.build(say)
        if not self.good():
            with locked(os.path.join(self.dir, "lock"), fcntl.LOCK_EX, say):
                if not self.good():
                    self.take(say)

    def discard(self):
        """Forget the snapshot: the next ensure() makes it anew."""
        if os.path.exists(self.stamp):
            os.unlink(self.stamp)

    def take(self, say):
        """Boot Xen and dom0, and save the machine at the moment dom0 waits for an order."""
        say(f"starting Xen {self.image.xen_version} ({self.saved_as} clock) for the snapshot")
        self.discard()
        # A new file each time: a run that has the old one mapped goes on with what it mapped.
        ram = self.ram + ".new"
        with open(ram, "wb") as file:
            file.truncate(MEMORY_MIB << 20)
        with open(self.boot_log, "wb") as log:
            machine = Machine(self.image, self.saved_as, ram, True, log.fileno())
            try:
                wait_ready(machine, self.boot_log)
                say("dom0 is up; saving")
                machine.monitor.call("stop")
                ignore_shared(machine.monitor)
                machine.monitor.call("migrate", uri=f"exec:cat >{shlex.quote(self.state)}.new")
                machine.monitor.migrated(60)
            finally:
                machine.close()
        subprocess.run(["fallocate", "-d", ram], check=False)    # only saves space
        os.replace(self.state + ".new", self.state)
        os.replace(ram, self.ram)
        write(self.stamp, json.dumps({"inputs": self.inputs(),
                                      "marks": self.file_marks()}).encode())
        say(f"snapshot ready, {os.stat(self.ram).st_blocks // 2048} MiB")

    def restore(self, serial, extra=(), forward=()):
        """A running copy of the saved machine. Orders may be sent before resume()."""
        with locked(os.path.join(self.dir, "lock"), fcntl.LOCK_SH):
            machine = Machine(self.image, self.clock, self.ram, False, serial,
                              ["-incoming", "defer", *extra], forward)
            try:
                ignore_shared(machine.monitor)
                machine.monitor.call("migrate-incoming", uri=f"exec:cat {shlex.quote(self.state)}")
                machine.monitor.migrated(RESTORE_LIMIT_S)
            except BedError as error:
                machine.close()
                raise BrokenSnapshot(str(error)) from error
            except BaseException:
                machine.close()
                raise
        return machine


def wait_ready(machine, log):
    machine.control.settimeout(BOOT_LIMIT_S)
    try:
        answer = machine.control.recv(64)
    except (TimeoutError, OSError):
        answer = b""
    if answer != b"ready\n":
        raise BedError(f"dom0 did not come up; the end of {log}:\n{tail(log)}\n{machine.stderr()}")


class ColdMachine:
    """In place of a snapshot where a restored machine does not go on (ARM): each run boots one."""

    alive_limit_s = RESTORE_LIMIT_S

    def __init__(self, xen, clock, arch, gic, cpu):
        if clock not in CLOCKS:
            raise BedError(f"no clock called {clock}: choose one of {', '.join(CLOCKS)}")
        self.image, self.clock = Image(xen, arch), clock
        self.image.gic, self.image.cpu = gic, cpu

    def ensure(self, say):
        os.makedirs(self.image.dir, exist_ok=True)
        with locked(os.path.join(self.image.dir, "lock"), fcntl.LOCK_EX, say):
            self.image.build(say)

    def discard(self):
        """There is nothing that could be spoilt."""

    def restore(self, serial, extra=(), forward=()):
        """A machine that has booted; what it said is in `serial`, or (None) on its way to us."""
        machine = Machine(self.image, self.clock, None, False, serial, extra, forward)
        try:
            wait_ready(machine, os.devnull if serial is None else f"/proc/self/fd/{serial}")
        except BaseException:
            machine.close()
            raise
        return machine


@contextlib.contextmanager
def locked(path, kind, say=None):
    """Hold a lock file: one builder, or any number of runs."""
    with open(path, "w") as lock:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if say:
                say("waiting for another build of this bed")
            fcntl.flock(lock, kind)
        yield


def ignore_shared(monitor):
    """Leave the memory file out of what is saved: it is the file itself that stays."""
    monitor.call("migrate-set-capabilities",
                 capabilities=[{"capability": "x-ignore-shared", "state": True}])


def tail(path, lines=15):
    with open(path, "rb") as file:
        text = file.read().decode(errors="replace")
    return "\n".join(text.replace("\r", "").splitlines()[-lines:])
