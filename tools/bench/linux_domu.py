# SPDX-License-Identifier: MIT
"""The Linux domU beside which Xenolith is measured: Debian's kernel, on the same bed.

Four initramfs: the bed's own (busybox; says that it has started) for boots and for the smallest
memory, and three whose program is linux.c, for the prices of single operations, threads.c, for what is about
several vCPUs (with parallel.c), or network.c, which has a web server beside it. Nothing of Linux changes between two runs of the benchmark, so the figures are kept until an input of theirs changes.
"""
import gzip
import hashlib
import json
import os
import re
import stat
import subprocess

import network
import smp
from cpio import Archive
from image import BedError, fetch, write
from tool import compiler_for

HERE = os.path.dirname(os.path.abspath(__file__))
# Of the programs that are all a domain's user space; each with linux_init.c.
OPERATIONS_SOURCES, THREADS_SOURCES = ("linux.c",), ("threads.c", "parallel.c", "threads_linux.c")
MODULES = ("xen_privcmd", "xen_evtchn", "xen_gntalloc")
EXTRA = 'extra="console=hvc0 quiet"'
MARKER = "linux-domu: main"
BOOT_MIB = (128, 1024)
# Where the smallest memory is looked for, by CPU: the bounds are tried too, nothing is taken for granted. The initramfs of dom0 is
# larger on ARM.
STEP_MIB, SMALL_MIB = 4, {"x86_64": (48, 112), "arm64": (32, 160)}
WEB_STEP_MIB, WEB_MIB = 8, {"x86_64": (80, 128), "arm64": (48, 128)}    # and where the smallest with a web server
# Limits are wall time on a machine that has nothing else to do. On a busy one counted figures are the same: they only take longer.
PATIENCE = 5

WAIT_GONE = """
quiet_gone() { local i; for i in $(seq "$2"); do sleep 1; is_gone "$1" && return; done; xl destroy "$1"; return 1; }
"""
BOOT = WAIT_GONE + """
boot() { boot_time "$1" vmlinux "%s" "${3:-60}" 'ramdisk="/scenario/initrd"' '%s' "memory=$2" || return 1; quiet_gone "$1" 10; }
""" % (MARKER, EXTRA)
# A domain with too little may compute until its time is up: ten seconds, of which one that works takes one.
SMALLEST = BOOT + """
works() { boot "try$1" "$1" 10 >/run/boot 2>&1 && return; quiet_gone "try$1" 1; return 1; }
works $low && { echo "smallest $low"; exit; }
works $high || exit 1
while [ $((high - low)) -gt %d ]; do
    mid=$(((low + high) / 2))
    if works $mid; then high=$mid; else low=$mid; fi
done
echo "smallest $high"
""" % STEP_MIB
OPERATIONS = WAIT_GONE + """
create linux vmlinux 'ramdisk="/scenario/initrd"' '%s' memory=128 'tsc_mode="native"' && quiet_gone linux 60
""" % EXTRA

# As HVM by kernel=, for which the device model has no file but that of /scenario (docs/XL.md); not by boot_time, where
# the domain, of next to no weight against dom0, does not come to its first line: it goes through the device model too often.
LOADER = "usr/share/qemu/linuxboot.bin"
DOORS = WAIT_GONE + f"""
boot() {{ boot_time "$@" && quiet_gone "$1" 20; }}
boot_hvm() {{
    local turn before
    create_paused=-p
    create "$@" || return 1
    create_paused=
    before=$(./boottime "$(xl domid "$1")")
    xl unpause "$1"
    for turn in $(seq 6000); do
        usleep 20000
        console_has "$1" "{MARKER}" 0 || continue
        echo "boot_cpu_ns.$1 $(($(./boottime "$(xl domid "$1")") - before))" >>/run/timings
        quiet_gone "$1" 20
        return
    done
    return 1
}}
boot_hvm hvmk_first_line bzImage 'type="hvm"' 'ramdisk="/scenario/initrd"' '{EXTRA}' memory=128 || exit 1
for mib in {" ".join(map(str, BOOT_MIB))}; do
    boot pvh_first_line_$mib vmlinux "{MARKER}" 60 'type="pvh"' 'tsc_mode="native"' 'ramdisk="/scenario/initrd"' \\
        '{EXTRA}' memory=$mib || exit 1
done
"""


def read(path):
    with open(path, "rb") as file:
        return file.read()


def cpio_files(data):
    """{name: contents} of a cpio archive ("newc")."""
    files, at = {}, 0
    while True:
        fields = [int(data[at + 6 + 8 * n:at + 14 + 8 * n], 16) for n in range(13)]
        size, name_len = fields[6], fields[11]
        name = data[at + 110:at + 109 + name_len].decode()
        at = (at + 110 + name_len + 3) & ~3
        if name == "TRAILER!!!":
            return files
        files[name] = data[at:at + size]
        at = (at + size + 3) & ~3


def compile_program(sources, out, arch="x86_64"):
    done = subprocess.run([compiler_for(arch), "-O2", "-Wall", "-Wextra", "-static", "-pthread", "-o", out,
                           *(os.path.join(HERE, source) for source in sources)],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BedError(f"tools/bench/{sources[0]} could not be compiled:\n{done.stderr}")


def program_archive(dom0_initrd, program):
    """A program as /init, with the modules behind the device files; dom0 has the same kernel's."""
    dom0 = cpio_files(read(dom0_initrd))
    archive = Archive()
    archive.add("dev", stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    archive.file("init", read(program))
    order = [m for m in dom0["lib-modules/order"].decode().split() if m in MODULES]
    for place, module in enumerate(order):
        archive.file(f"modules/{place}-{module}.ko", dom0[f"lib-modules/{module}.ko"], 0o644)
    return archive


def operations_of(console):
    """{name: (elapsed, own)} of what apps/bench or linux.c wrote."""
    found = re.findall(r"^bench (\w+) ([\d.]+) ([\d.]+)\s*$", console.replace("\r", ""), re.M)
    return {name: (float(elapsed), float(own)) for name, elapsed, own in found}


def loadable_bytes(elf):
    """What a loader puts into memory from an ELF file."""
    fields, filesz = (((32, 40), (54, 56), (56, 58)), slice(32, 40)) if elf[4] == 2 else (
        ((28, 32), (42, 44), (44, 46)), slice(16, 20))      # of 64 bits, of 32
    at, size, count = (int.from_bytes(elf[a:b], "little") for a, b in fields)
    heads = (elf[at + n * size:at + (n + 1) * size] for n in range(count))
    return sum(int.from_bytes(head[filesz], "little") for head in heads if head[:4] == b"\1\0\0\0")


class LinuxDomu:
    def __init__(self, bed, parallel_bed, folder):
        """bed: counts instructions; parallel_bed: has two CPUs."""
        self.bed, self.parallel_bed, self.folder = bed, parallel_bed, folder
        self.kernel, self.initrd = bed.domu_linux()
        self.arch = bed.snapshot.image.arch
        self.operations_initrd, self.threads_initrd, self.network_initrd = (
            self.make_initrd(name, sources) for name, sources in (
                ("linux", OPERATIONS_SOURCES), ("linux-threads", THREADS_SOURCES),
                ("linux-network", network.LINUX_SOURCES)))
        self.dom0_files = network.dom0_files(bed, folder, lambda *given: compile_program(*given, self.arch))
        self.kept = os.path.join(folder, f"linux-{bed.snapshot.image.xen_version}.json")

    def make_initrd(self, name, sources):
        program, initrd = f"{self.folder}/{name}", f"{self.folder}/{name}-initrd"
        compile_program((*sources, "linux_init.c"), program, self.arch)
        archive = program_archive(self.bed.snapshot.image.initrd, program)
        if sources == network.LINUX_SOURCES:
            network.add_linux_module(archive, self.bed.snapshot.image, self.folder)
            network.add_linux_server(archive, self.bed.snapshot.image, self.folder)
        write(initrd, archive.done())
        return initrd

    def inputs(self):
        image = self.bed.snapshot.image
        digest = hashlib.sha256(self.bed.snapshot.clock.encode())
        for path in (self.kernel, self.initrd, self.operations_initrd, self.threads_initrd,
                     self.network_initrd, self.dom0_files["network_client"], image.xen,
                     image.initrd, self.bed.tool("boottime"), os.path.abspath(__file__),
                     os.path.abspath(smp.__file__), os.path.abspath(network.__file__)):
            digest.update(hashlib.sha256(read(path)).digest())
        return digest.hexdigest()

    def kept_figures(self):
        """{part's name: figures} of earlier runs, if nothing of them has changed."""
        try:
            with open(self.kept) as file:
                kept = json.load(file)
        except (OSError, ValueError):
            return {}
        return kept["parts"] if kept["inputs"] == self.inputs() and "parts" in kept else {}

    def parts(self):
        """[function that measures one part and returns figures]: they may run at the same time."""
        return [self.network_smallest, self.network_web, self.network, self.threads, self.boots, self.smallest,
                self.operations, *([self.doors] if self.arch == "x86_64" else [])]

    def parallel_parts(self):
        """The same of what must have the machine's CPUs to itself."""
        return [self.parallel]

    def keep(self, parts):
        write(self.kept, json.dumps({"inputs": self.inputs(), "parts": parts}, indent=1).encode())

    def run(self, script, initrd, timeout, bed=None, more=None):
        result = (bed or self.bed).run(script, {
            "vmlinux": self.kernel, "initrd": initrd,
            "boottime": self.bed.tool("boottime"), **(more or {})}, timeout=timeout * PATIENCE)
        if result.exit:
            raise BedError(f"Linux domU: exit status {result.exit}\n{result.last_lines()}")
        return result

    def boots(self):
        script = BOOT + " && ".join(f"boot boot{mib} {mib}" for mib in BOOT_MIB)
        timings = self.run(script, self.initrd, 400).timings
        figures = {f"boot_first_line_{mib}": int(timings[f"boot_cpu_ns.boot{mib}"])
                   for mib in BOOT_MIB}
        image = self.bed.snapshot.image
        if self.arch == "x86_64":       # ARM's kernel unpacks itself
            figures["image_loadable"] = loadable_bytes(gzip.decompress(read(self.kernel)))
        figures["image_file"] = os.path.getsize(image.kernel)
        return figures

    def doors(self):
        image = self.bed.snapshot.image
        fetch("bookworm", f"{self.folder}/qemu-data", ["qemu-system-data"])
        timings = self.run(DOORS, self.initrd, 900, more={
            "bzImage": image.kernel, os.path.basename(LOADER): f"{self.folder}/qemu-data/{LOADER}"}).timings
        return {f"doors_{key[len('boot_cpu_ns.'):]}": int(value) for key, value in timings.items()
                if key.startswith("boot_cpu_ns.")}

    def smallest(self):
        output = self.run("low=%d high=%d\n" % SMALL_MIB[self.arch] + SMALLEST, self.initrd, 600).output
        return {"smallest_mib": int(re.search(r"^smallest (\d+)", output, re.M).group(1))}

    def operations(self):
        result = self.run(OPERATIONS, self.operations_initrd, 300)
        return {"operations": operations_of(self.whole(result, "linux"))}

    def threads(self):
        more = f"""'ramdisk="/scenario/initrd"' '{EXTRA}' memory=128 'tsc_mode="native"'"""
        result = self.run(smp.counted_script("vmlinux", more), self.threads_initrd, 400)
        return {"threads": operations_of(self.whole(result, "threads"))}

    def run_network(self, script, timeout):
        return self.run(script, self.network_initrd, timeout, more=self.dom0_files).output

    @staticmethod
    def network_kernel(more=""):
        extra = f"{EXTRA[:-1]} address={network.ADDRESS}{more}"
        return f"""vmlinux 'ramdisk="/scenario/initrd"' '{extra}"'"""

    def network(self):
        return network.exchange(self.run_network, self.network_kernel())

    def network_web(self):
        return network.web(self.run_network, self.network_kernel(f" serve={network.SERVER}"))

    def network_smallest(self):
        return network.smallest_web(self.run_network, self.network_kernel(f" serve={network.SERVER}"),
                                    WEB_STEP_MIB, *WEB_MIB[self.arch])

    def parallel(self):
        more = """'ramdisk="/scenario/initrd"' memory=128 'tsc_mode="native"' """
        result = self.run(smp.parallel_script("vmlinux", *(
            more + "'" + EXTRA[:-1] + f' -- {what}"' + "'" for what in ("scale", "crowd"))),
            self.threads_initrd, 800, self.parallel_bed)
        self.whole(result, "crowd")
        return smp.ratios_of(result.consoles)

    @staticmethod
    def whole(result, name):
        """What the domain wrote, if that is all it had to write."""
        console = result.consoles.get(name, "")
        if "linux-domu: done" not in console:
            raise BedError(f"Linux domU: its benchmark did not end\n{result.last_lines()}")
        return console
