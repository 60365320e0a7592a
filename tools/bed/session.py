# SPDX-License-Identifier: MIT
"""Scenarios: give a restored dom0 files and a script, and bring the results back.

    bed = Bed("4.17", "multi")
    result = bed.run("create hello hello.elf && wait_gone hello 5", {"hello.elf": path}, timeout=30)

The protocol of the two ports is described in dom0/scenario.sh, the script's helpers in dom0/lib.sh.
A run ends within its limit: first dom0 is asked to stop the script and send what there is, and a
dom0 that doesn't answer is ended with its machine.
"""
import io
import os
import shutil
import tarfile
import tempfile
import time
from dataclasses import dataclass, field

from image import BedError
from link import Link, payload
from snapshot import BrokenSnapshot, ColdMachine, Snapshot
from tool import tool

ABORT_LIMIT_S = 8       # for dom0 to stop the script and send its results
TIMED_OUT = 124         # exit codes of scenarios that didn't end by themselves
DIED = 125              # Xen or dom0 crashed, or QEMU did


@dataclass
class Result:
    """What a scenario left behind. Texts are UTF-8 with surrogateescape: no byte is lost."""
    exit: int = TIMED_OUT                           # the script's, or TIMED_OUT, or DIED
    timed_out: bool = False
    output: str = ""                                # the script's stdout and stderr
    consoles: dict = field(default_factory=dict)    # domain's name: all it ever wrote
    xl_dmesg: str = ""
    timings: dict = field(default_factory=dict)     # see dom0/lib.sh: ns of dom0's clock
    files: dict = field(default_factory=dict)       # name: bytes of what was left in /scenario/out
    serial: str = ""                                # Xen's and dom0's own console
    wall_s: float = 0.0

    def write(self, folder):
        os.makedirs(folder + "/consoles", exist_ok=True)
        texts = {"exit": f"{self.exit}\n", "output": self.output, "xl-dmesg": self.xl_dmesg,
                 "serial": self.serial,
                 "timings": "".join(f"{k} {v}\n" for k, v in self.timings.items())}
        texts.update((f"consoles/{name}.log", text) for name, text in self.consoles.items())
        for name, data in [*((n, encode(t)) for n, t in texts.items()), *self.files.items()]:
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)

    def last_lines(self, count=15):
        """The lines that matter when something went wrong."""
        parts = [("script output", self.output)]
        parts += [(f"console of {name}", text) for name, text in self.consoles.items()]
        parts += [(title, text) for title, text in (("xl dmesg", self.xl_dmesg), ("serial", self.serial))
                  if text]
        shown = []
        for title, text in parts:
            lines = text.replace("\r", "").splitlines()[-count:]
            shown += [f"--- {title}" + ("" if lines else ": empty")] + lines
        return "\n".join(shown).encode(errors="replace").decode(errors="replace")


def encode(text):
    return text.encode(errors="surrogateescape")


def decode(data):
    return data.decode(errors="surrogateescape")


class Bed:
    """A Xen host on demand. Cheap to make; every run starts from the same state."""

    def __init__(self, xen="4.17", clock="multi", say=lambda text: None, arch="x86_64", gic=3, cpu=None):
        self.say = say
        self.snapshot = (Snapshot(xen, clock) if arch == "x86_64" else
                         ColdMachine(xen, clock, arch, gic, cpu))

    def tool(self, name):
        """The path of a program of ours for dom0 (boottime), to be given to run() as a file."""
        self.build()
        return tool(self.snapshot.image, name)

    def domu_linux(self):
        """(kernel, ramdisk) of a Linux domU that prints "linux-domu: main" and powers off."""
        self.build()
        return self.snapshot.image.domu_kernel, self.snapshot.image.domu_initrd

    def build(self):
        self.snapshot.ensure(self.say)

    def run(self, script, files=None, timeout=60, out=None, on_output=None, stdin=None,
            forward=(), shell=False):
        """Run a busybox sh script in dom0. timeout: seconds of wall time, restore included.

        on_output is called with bytes as the script writes them; stdin is a file descriptor that
        becomes the script's; forward are QEMU hostfwd rules; a shell has dom0's console for both.
        Raises BedError if there is no bed.
        """
        # With the counted clock every run begins at the same time of day: runs repeat.
        now_s = None if self.snapshot.clock == "counted" else time.time()
        data = payload(script, files or {}, now_s)
        size = shutil.get_terminal_size()
        order = ("shell" if shell else "run" if stdin is None else "talk", size.columns, size.lines)
        self.build()
        begin = time.monotonic()
        with tempfile.TemporaryFile() as serial:
            link = self.start(order, data, None if shell else serial.fileno(), on_output, stdin,
                              forward)
            result = Result()
            try:
                self.converse(link, begin + timeout, result)
            finally:
                link.machine.close()
            serial.seek(0)
            result.serial = decode(serial.read())
        collect(link, result)
        result.wall_s = time.monotonic() - begin
        if out:
            shutil.rmtree(out, ignore_errors=True)
            result.write(out)
        return result

    def start(self, order, data, serial, on_output, stdin, forward):
        """A dom0 that has taken its order; a snapshot that doesn't come alive is made anew, once."""
        for attempt in (1, 2):
            try:
                machine = self.snapshot.restore(serial, forward=forward)
                link = Link(machine, order, data, on_output, stdin)
                try:
                    machine.monitor.call("cont")
                    end = time.monotonic() + self.snapshot.alive_limit_s
                    while not link.started and time.monotonic() < end:
                        link.pump(0.1)
                    if link.started:
                        return link
                    raise BrokenSnapshot("the snapshot does not come alive")
                except BedError as error:
                    machine.close()
                    raise BrokenSnapshot(str(error)) from error
                except BaseException:
                    machine.close()
                    raise
            except BrokenSnapshot as error:
                if attempt == 2:
                    raise
                self.say(f"{error}; making the snapshot anew")
                self.snapshot.discard()
                self.build()

    def converse(self, link, end, result):
        """Until the scenario is done, has died or has had its time."""
        try:
            while not link.done() and time.monotonic() < end:
                link.pump(min(1, max(0, end - time.monotonic())))
            if not link.done():
                result.timed_out = True
                link.abort()
                end = time.monotonic() + ABORT_LIMIT_S
                while not link.done() and time.monotonic() < end:
                    link.pump(0.2)
        except BedError as error:
            self.say(f"Xen or dom0 has crashed: {error}")
            result.exit = DIED
            return
        result.exit = TIMED_OUT if result.timed_out else link.code


def collect(link, result):
    """Sort what dom0 sent into the result."""
    result.output = decode(bytes(link.output))
    if not link.done():
        return
    with tarfile.open(fileobj=io.BytesIO(bytes(link.archive))) as archive:
        for member in archive:
            if not member.isfile():
                continue
            name, data = os.path.normpath(member.name), archive.extractfile(member).read()
            if name == "xl-dmesg":
                result.xl_dmesg = decode(data)
            elif name == "timings":
                result.timings = dict(l.rsplit(" ", 1) for l in decode(data).splitlines() if " " in l)
            elif name.startswith("consoles/"):
                result.consoles[name[len("consoles/"):-len(".log")]] = decode(data)
            elif name.startswith("out/") and ".." not in name.split("/"):
                result.files[name[len("out/"):]] = data
