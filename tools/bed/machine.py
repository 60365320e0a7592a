# SPDX-License-Identifier: MIT
"""One QEMU machine with Xen in it: its arguments, its monitor, its snapshot.

A snapshot is the machine's memory in a sparse file (RAM) and everything else in a small one
(STATE), taken while dom0 waits for its first order. A run maps RAM copy-on-write, so that any
number of runs share one snapshot and none can spoil it. What goes over the two ports is session.py's.
"""
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time

from image import HERE, BedError, Image, write

QEMU = "qemu-system-x86_64"
MEMORY_MIB = 6144       # room for a domain of 4 GiB; what nobody touches costs nothing
DOM0_MIB = 512
CLOCKS = {
    # Two CPUs that run at the same time, for function tests and races; its times are noise.
    "multi": ["-accel", "tcg,thread=multi", "-smp", "2"],
    # One instruction is one virtual nanosecond, for measurements that repeat.
    "counted": ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-smp", "1"],
}
BOOT_LIMIT_S = 240
RESTORE_LIMIT_S = 30


class BrokenSnapshot(BedError):
    """The saved machine does not come back to life."""


class Monitor:
    """QEMU's control channel (QMP), one command at a time."""

    def __init__(self, sock):
        self.sock, self.file = sock, sock.makefile("rb")
        sock.settimeout(RESTORE_LIMIT_S)
        self.read()
        self.call("qmp_capabilities")

    def read(self):
        try:
            line = self.file.readline()
        except OSError:
            line = b""
        if not line:
            raise BedError("QEMU ended unexpectedly")
        return json.loads(line)

    def call(self, command, **arguments):
        try:
            self.sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        except OSError as error:
            raise BedError("QEMU ended unexpectedly") from error
        while True:
            answer = self.read()
            if "error" in answer:
                raise BedError(f"QEMU refused {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def migrated(self, limit_s):
        """Wait until a save or restore is over."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            status = self.call("query-migrate").get("status")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                break
            time.sleep(0.01)
        raise BedError("QEMU could not save or restore the machine")


class Machine:
    """A running QEMU. `control` and `stream` are the host ends of dom0's two ports."""

    def __init__(self, image, clock, ram, share, serial, extra=(), forward=()):
        """serial: a file descriptor that gets Xen's and dom0's console; None: `serial` is its other
        end, to be read and written."""
        if not shutil.which(QEMU):
            raise BedError(f"{QEMU} is missing: run tools/host-packages.sh bed")
        ends = {name: socket.socketpair() for name in ("qmp", "control", "stream", "serial")}
        self.control, self.stream, self.serial = (
            ends[name][0] for name in ("control", "stream", "serial"))
        command, fds = [QEMU, *arguments(image, clock, ram, share, forward)], []
        for name, (_, far) in ends.items():
            if name == "serial" and serial is not None:
                command += ["-chardev", f"file,id=serial,path=/proc/self/fd/{serial}"]
                fds.append(serial)
            else:
                command += ["-chardev", f"socket,id={name},fd={far.fileno()}"]
                fds.append(far.fileno())
        command += ["-mon", "chardev=qmp,mode=control"]
        self.errors = os.memfd_create("qemu-stderr")
        self.process = subprocess.Popen(
            command + list(extra), pass_fds=fds, stdin=subprocess.DEVNULL, stdout=self.errors,
            stderr=self.errors, start_new_session=True, preexec_fn=die_with_parent)
        for _, far in ends.values():
            far.close()
        try:
            self.monitor = Monitor(ends["qmp"][0])
        except (BedError, OSError) as error:
            self.close()
            raise BedError(f"QEMU did not start: {self.stderr() or error}") from error

    def stderr(self):
        """What QEMU has said; it says nothing when all is well."""
        if self.errors < 0:
            return ""
        return os.pread(self.errors, 4096, 0).decode(errors="replace").strip()

    def close(self):
        """End QEMU at once; nothing in it is worth keeping. Once more does no harm."""
        if self.errors < 0:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for sock in (self.control, self.stream, self.serial):
            sock.close()
        os.close(self.errors)
        self.errors = -1


def die_with_parent():
    """In the new process: let no QEMU outlive a parent that was killed (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def arguments(image, clock, ram, share, forward=()):
    """QEMU's arguments; the same in save and run but for `share` and the forwarded ports."""
    # TCG of QEMU 7.2 lacks what Xen expects of SMAP (dom0 dies) and RDTSCP (PVH Linux dies); that of
    # QEMU 10 reads the clock in x2APIC registers where instruction counting forbids it ("Bad icount
    # read", and QEMU ends).
    backend = f"memory-backend-file,id=ram,size={MEMORY_MIB}M,mem-path={ram.replace(',', ',,')}"
    backend += ",share=on" if share else ",share=off,reserve=off"
    return [
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-M", "pc,memory-backend=ram", "-m", str(MEMORY_MIB), "-object", backend,
        *CLOCKS[clock], "-cpu", "max,-smap,-smep,-rdtscp,-x2apic",
        "-kernel", image.xen,
        "-initrd", f"{image.kernel} console=hvc0 quiet,{image.initrd}",
        "-append", f"console=com1 com1=115200 dom0_mem={DOM0_MIB}M,max:{DOM0_MIB}M dom0_max_vcpus=1 loglvl=warning "
                   "guest_loglvl=all spec-ctrl=no bootscrub=0 sched_ratelimit_us=0",
        "-serial", "chardev:serial",
        "-device", "virtio-serial-pci,id=ports,disable-legacy=on",
        "-device", "virtserialport,bus=ports.0,nr=1,chardev=control,name=bed.control",
        "-device", "virtserialport,bus=ports.0,nr=2,chardev=stream,name=bed.stream",
        "-netdev", "user,id=net0" + "".join(f",hostfwd={rule}" for rule in forward),
        "-device", "virtio-net-pci,netdev=net0,romfile=,disable-legacy=on",
    ]


class Snapshot:
    """The saved machine of one Xen version and clock, in build/bed/<version>/<clock>/."""

    def __init__(self, xen, clock):
        if clock not in CLOCKS:
            raise BedError(f"no clock called {clock}: choose one of {', '.join(CLOCKS)}")
        self.image, self.clock = Image(xen), clock
        self.dir = os.path.join(self.image.dir, clock)
        self.ram, self.state, self.stamp, self.boot_log = (
            os.path.join(self.dir, name) for name in ("ram", "state", "stamp.json", "boot.log"))

    def inputs(self):
        """What the snapshot was made from; another answer than the stamp's means: make it anew."""
        qemu = os.stat(shutil.which(QEMU) or "/")
        return repr((qemu.st_size, qemu.st_mtime_ns, self.image.read_stamp(), self.image.inputs(),
                     arguments(self.image, self.clock, self.ram, True)))

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
        say(f"starting Xen {self.image.xen_version} ({self.clock} clock) for the snapshot")
        self.discard()
        # A new file each time: a run that has the old one mapped goes on with what it mapped.
        ram = self.ram + ".new"
        with open(ram, "wb") as file:
            file.truncate(MEMORY_MIB << 20)
        with open(self.boot_log, "wb") as log:
            machine = Machine(self.image, self.clock, ram, True, log.fileno())
            try:
                self.wait_ready(machine)
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

    def wait_ready(self, machine):
        machine.control.settimeout(BOOT_LIMIT_S)
        try:
            answer = machine.control.recv(64)
        except (TimeoutError, OSError):
            answer = b""
        if answer != b"ready\n":
            raise BedError(f"dom0 did not come up; the end of {self.boot_log}:\n{tail(self.boot_log)}"
                           f"\n{machine.stderr()}")

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
