# SPDX-License-Identifier: MIT
"""What the bed boots: Xen, dom0's kernel and dom0's initramfs, made from Debian packages.

No root and no file system image: the packages are unpacked with dpkg -x, and the few files dom0 needs
are picked out with the libraries they name. One image serves both clocks. Nothing of QEMU in here:
see machine.py.
"""
import glob
import gzip
import hashlib
import json
import lzma
import os
import re
import shutil
import stat
import subprocess
import sys

from cpio import Archive

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Where it really is: trees that share one by a link share its snapshots too.
BED = os.path.realpath(os.path.join(ROOT, "build", "bed"))
SUITES = {"4.17": "bookworm", "4.20": "trixie", "4.14": "bullseye"}
# CPU: (Debian's name of it, the folder of its libraries). The bed of a CPU that is not the machine's is as good.
ARCHS = {"x86_64": ("amd64", "x86_64-linux-gnu"), "arm64": ("arm64", "aarch64-linux-gnu"),
         "arm32": ("armhf", "arm-linux-gnueabihf")}
KERNELS = {"arm32": "linux-image-armmp-lpae"}    # where it is not called after the CPU

# dom0's programs, by the folder of the package they are in. @ is Xen's version.
PROGRAMS = ["usr/lib/xen-@/bin/" + name for name in (
    "xl", "xenstored", "xenconsoled", "xenconsole", "xen-init-dom0", "libxl-save-helper")]
PROGRAMS += ["usr/bin/xenstore-" + name for name in (
    "chmod", "exists", "list", "ls", "read", "rm", "watch", "write")]
# What helps when it is there: not every version of Xen has each.
EXTRAS = ["usr/lib/xen-@/bin/" + name for name in (
    "lsevtchn", "xen-diag", "xenctx", "xentop", "gdbsx", "xenstore")] + ["usr/bin/xenstore"]
# What talks to our domains in the tests of the network: {package: a program of it}. Those of Xen 4.14 have none.
CLIENTS = {"curl": "usr/bin/curl", "iperf": "usr/bin/iperf", "apache2-utils": "usr/bin/ab",
           "iputils-ping": "usr/bin/ping", "netcat-openbsd": "usr/bin/nc.openbsd",
           "dnsmasq-base": "usr/sbin/dnsmasq", "iproute2": "usr/sbin/tc",
           "nmap": "usr/bin/nmap", "hping3": "usr/sbin/hping3"}
CLIENTS_SUITES = ("bookworm", "trixie")
# The device model and firmware of HVM domains, as of these versions.
HVM_VERSIONS = ["4.17", "4.20"]
HVM_PROGRAM = "usr/libexec/xen-qemu-system-i386"
HVM_PACKAGES = ["qemu-system-data", "seabios", "ipxe-qemu"]
HVM_FILES = ["usr/lib/xen-@/boot/hvmloader", "usr/share/seabios/bios-256k.bin",
             "usr/share/seabios/vgabios-cirrus.bin", "usr/share/seabios/vgabios-stdvga.bin",
             "usr/share/qemu/kvmvapic.bin", "usr/share/qemu/linuxboot_dma.bin",
             "usr/share/qemu/multiboot_dma.bin", "usr/share/qemu/pvh.bin",
             "usr/share/qemu/keymaps/en-us", "usr/lib/ipxe/qemu/efi-rtl8139.rom"]
LIBRARIES = ["libgcc_s.so.1"]       # loaded by name in pthread_cancel: xl aborts without it
MODULES = ["xen-privcmd", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xenfs", "bridge",
           "xen-netback", "xen-blkback", "tun", "virtio_pci", "virtio_net", "virtio_blk",
           "virtio_console", "sch_netem", "sch_ingress", "cls_matchall", "act_mirred", "ifb", "loop"]
IN_IMAGE = ["init", "vif-bridge.sh", "domu-init"]       # of dom0/; the rest comes with each order


class BedError(Exception):
    """Something the user must know about; printed without a traceback."""


def fetch(suite, into, packages, with_deps=False, arch="x86_64"):
    """Unpack Debian packages into a folder; what is there already costs nothing."""
    command = [os.path.join(ROOT, "tools", "fetch.py"), "deb", "--suite", suite, "--into", into,
               "--arch", ARCHS[arch][0]]
    if with_deps:
        command.append("--with-deps")
    done = subprocess.run(command + packages, stdout=subprocess.PIPE, text=True, check=False)
    for line in done.stdout.splitlines():
        if not line.endswith("(cached)"):
            print(line, file=sys.stderr)
    if done.returncode:
        raise BedError(f"the packages of Debian {suite} could not be had: {' '.join(packages)}")


def packages_of(xen, arch):
    """(packages taken with their libraries, packages taken alone)"""
    clients = list(CLIENTS) if SUITES[xen] in CLIENTS_SUITES else []
    # nmap names a library that no package with a library's name has.
    clients += ["lua-lpeg"] if SUITES[xen] == "bookworm" else []
    hvm = has_device_model(xen, arch)
    debian = ARCHS[arch][0]
    return ([f"xen-utils-{xen}", "xenstore-utils", *clients, *(["qemu-system-xen"] if hvm else [])],
            [f"xen-hypervisor-{xen}-{debian}", KERNELS.get(arch, f"linux-image-{debian}"), "libgcc-s1",
             "zlib1g"] + (HVM_PACKAGES if hvm else []))


def has_device_model(xen, arch):
    """Whether dom0 can have HVM domains: there are none on ARM."""
    return xen in HVM_VERSIONS and arch == "x86_64"


class Image:
    """The boot files of one Xen version, in build/bed/<version>/; of another CPU: <version>-<cpu>/."""

    def __init__(self, xen, arch="x86_64"):
        if xen not in SUITES:
            raise BedError(f"no bed for Xen {xen}: choose one of {', '.join(SUITES)}")
        self.xen_version, self.suite, self.arch = xen, SUITES[xen], arch
        self.dir = os.path.join(BED, xen if arch == "x86_64" else f"{xen}-{arch}")
        self.xen, self.kernel, self.initrd, self.stamp = (
            os.path.join(self.dir, name) for name in ("xen.elf", "vmlinuz", "initrd", "image.json"))
        self.domu_kernel, self.domu_initrd = (
            os.path.join(self.dir, name) for name in ("domu-vmlinux.gz", "domu-initrd"))

    def inputs(self):
        """Digest of everything of ours that goes in; the packages' versions are in the stamp."""
        digest = hashlib.sha256(repr((packages_of(self.xen_version, self.arch), PROGRAMS, EXTRAS, CLIENTS,
                                      HVM_FILES, MODULES)).encode())
        for path in [HERE + "/dom0/" + name for name in IN_IMAGE] + [
                HERE + "/image.py", HERE + "/cpio.py"]:
            with open(path, "rb") as file:
                digest.update(file.read())
        return digest.hexdigest()

    def read_stamp(self):
        try:
            with open(self.stamp) as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def build(self, say):
        """Make the boot files if they are missing or older than what they are made from."""
        files = (self.xen, self.kernel, self.initrd, self.domu_kernel, self.domu_initrd)
        found = self.read_stamp()
        if found.get("inputs") == self.inputs() and all(map(os.path.exists, files)) \
                and found.get("sizes") == [os.path.getsize(f) for f in files]:
            return
        for program in ("readelf", "dpkg"):
            if not shutil.which(program):
                raise BedError(f"{program} is missing: run tools/host-packages.sh build")
        say(f"making the image of Xen {self.xen_version} from Debian {self.suite}")
        unpacked = os.path.join(self.dir, "unpacked")
        shutil.rmtree(unpacked, ignore_errors=True)
        with_deps, alone = packages_of(self.xen_version, self.arch)
        fetch(self.suite, unpacked, with_deps, with_deps=True, arch=self.arch)
        fetch(self.suite, unpacked, alone, arch=self.arch)
        # bullseye's busybox lacks what dom0's scripts use; a static one of another suite is as good.
        fetch("bookworm" if self.suite == "bullseye" else self.suite, unpacked, ["busybox-static"], arch=self.arch)
        say("packing dom0's initramfs")
        write(self.xen, hypervisor(unpacked, self.xen_version, self.arch))
        kernel = sorted(glob.glob(f"{unpacked}/boot/vmlinuz-*"))[-1]
        shutil.copyfile(kernel, self.kernel)
        write(self.domu_kernel, domu_kernel(self.kernel))
        write(self.domu_initrd, domu_initrd(unpacked))
        write(self.initrd, dom0_initrd(unpacked, self.xen_version, self.arch,
                                       os.path.basename(kernel)[len("vmlinuz-"):]))
        with open(os.path.join(unpacked, ".fetched")) as file:
            packages = sorted(line.split(" -> ")[1].strip() for line in file)
        shutil.rmtree(unpacked)
        stamp = {"inputs": self.inputs(), "packages": packages,
                 "sizes": [os.path.getsize(f) for f in files]}
        write(self.stamp, json.dumps(stamp, indent=1).encode())


def write(path, data):
    """Replace a file in one step, so that a reader never sees half of it."""
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.replace(path + ".new", path)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def hypervisor(unpacked, xen, arch):
    """As QEMU loads it: x86's is an ELF file in a gzip file, ARM's an Image."""
    if arch == "x86_64":
        return gzip.decompress(read(f"{unpacked}/boot/xen-{xen}-amd64.gz"))
    return read(f"{unpacked}/boot/xen-{xen}-{ARCHS[arch][0]}")


def skeleton(unpacked):
    """What both Linux systems start from: merged /usr, a console, busybox."""
    archive = Archive()
    for name in ("bin", "sbin", "lib", "lib64"):
        archive.add("usr/" + name, stat.S_IFDIR | 0o755)
        archive.link(name, "usr/" + name)
    for name in ("dev", "proc", "sys", "run", "tmp", "root"):
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    busybox = next(p for p in (unpacked + "/usr/bin/busybox", unpacked + "/bin/busybox")
                   if os.path.exists(p))
    archive.file("usr/bin/busybox", read(busybox))
    return archive


def dom0_initrd(unpacked, xen, arch, release):
    archive = skeleton(unpacked)
    todo = [p.replace("@", xen) for p in PROGRAMS]
    for path in todo:
        if not find(unpacked, path):
            raise BedError(f"Debian's packages of Xen {xen} have no {path}")
    todo += [p.replace("@", xen) for p in EXTRAS if find(unpacked, p.replace("@", xen))]
    if SUITES[xen] in CLIENTS_SUITES:
        todo += CLIENTS.values()
    if has_device_model(xen, arch):
        todo.append(HVM_PROGRAM)
        for path in [p.replace("@", xen) for p in HVM_FILES]:
            if find(unpacked, path):
                archive.file(path, read(find(unpacked, path)), 0o644)
        archive.link(f"usr/lib/xen-{xen}/bin/qemu-system-i386", "/" + HVM_PROGRAM)
    for path in todo:
        archive.file(path, read(find(unpacked, path)))
    add_libraries(archive, unpacked, ARCHS[arch][1], [find(unpacked, p) for p in todo])
    archive.link("usr/lib/xen", f"xen-{xen}")
    order = module_order(unpacked, release)
    for name, data in order:
        archive.file(f"lib-modules/{name}.ko", data, 0o644)
    archive.file("lib-modules/order", "".join(f"{name}\n" for name, _ in order).encode(), 0o644)
    archive.file("init", read(HERE + "/dom0/init"))
    archive.file("etc/xen/scripts/vif-bridge", read(HERE + "/dom0/vif-bridge.sh"))
    return archive.done()


def domu_initrd(unpacked):
    """A Linux domU's whole user space: says that it has started, and powers off."""
    archive = skeleton(unpacked)
    archive.file("init", read(HERE + "/dom0/domu-init"))
    return archive.done()


def find(unpacked, path):
    """The file of that path, whether or not its suite has merged /usr."""
    for candidate in (path, path[4:] if path.startswith("usr/") else "usr/" + path):
        if os.path.exists(os.path.join(unpacked, candidate)):
            return os.path.join(unpacked, candidate)
    return None


def add_libraries(archive, unpacked, triplet, programs):
    """The loader and every library the programs need, directly or not."""
    folders = [unpacked + "/" + f for f in (
        f"usr/lib/{triplet}", f"lib/{triplet}", "usr/lib64", "lib64", f"usr/lib/{triplet}/blas")]
    folders += glob.glob(f"{unpacked}/usr/lib/xen-*/lib/{triplet}")
    seen, todo = set(), LIBRARIES + [n for p in programs for n in needed(p)]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        path = next((f"{f}/{name}" for f in folders if os.path.exists(f"{f}/{name}")), None)
        if not path:
            raise BedError(f"no package of dom0's has the library {name}")
        # Where the programs name their loader; on ARM it is found beside the libraries too.
        loader = {"x86_64-linux-gnu": "usr/lib64/"}.get(triplet, "usr/lib/")
        archive.file((loader if name.startswith("ld-linux") else f"usr/lib/{triplet}/") + name,
                     read(path))
        todo += needed(path)


def needed(path):
    out = subprocess.run(["readelf", "-dl", path], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    loader = re.findall(r"program interpreter: .*/([^/\]]+)\]", out)
    return loader + re.findall(r"\(NEEDED\).*\[(.*)\]", out)


def module_order(unpacked, release):
    """[(name, contents)] of dom0's modules, each after those it depends on."""
    paths = {}
    for base in glob.glob(f"{unpacked}/**/modules/{release}/kernel", recursive=True):
        for path in glob.glob(base + "/**/*.ko*", recursive=True):
            paths[os.path.basename(path).split(".")[0].replace("-", "_")] = path
    order = {}

    def load(name):
        name = name.replace("-", "_")
        if name in order or name not in paths:      # not a module: built into the kernel
            return
        data = read(paths[name])
        if paths[name].endswith(".xz"):
            data = lzma.decompress(data)
        found = re.search(rb"\0depends=([^\0]*)\0", data)
        for dependency in found.group(1).decode().split(",") if found else []:
            load(dependency)
        order[name] = data

    for name in MODULES:
        load(name)
    return list(order.items())


def domu_kernel(bzimage):
    """A Linux domU's kernel in the form xl starts quickest: the ELF file inside a bzImage, gzipped."""
    data = read(bzimage)
    if data[0x202:0x206] != b"HdrS":
        return data
    # Linux Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length
    start = (data[0x1f1] + 1) * 512 + int.from_bytes(data[0x248:0x24c], "little")
    payload = data[start:start + int.from_bytes(data[0x24c:0x250], "little")]
    if payload[:6] == b"\xfd7zXZ\0":
        elf = lzma.LZMADecompressor().decompress(payload)
    elif payload[:4] == b"\x28\xb5\x2f\xfd" and shutil.which("zstd"):
        # The last four bytes are the unpacked size, not zstd's.
        elf = subprocess.run(["zstd", "-dcq"], input=payload[:-4], stdout=subprocess.PIPE,
                             check=True).stdout
    else:
        return data
    return gzip.compress(elf, 6, mtime=0)
