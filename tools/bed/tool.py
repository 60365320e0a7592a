# SPDX-License-Identifier: MIT
"""Programs of ours that run in dom0 (boottime): compiled here, against the bed's own Xen.

Statically linked, so that it doesn't matter whose libc is older. They travel with an order, as any
other file does, and are no part of the snapshot. image.py has dom0's own programs.
"""
import os
import shutil
import subprocess

from image import ARCHS, HERE, BedError, fetch

# Of libxen-dev, each before what it needs.
LIBRARIES = ["xenctrl", "xenforeignmemory", "xengnttab", "xenevtchn", "xendevicemodel", "xencall",
             "xentoollog", "xentoolcore"]


def compiler_for(arch):
    """The path of a C compiler for programs of dom0, or of a Linux domU."""
    name = os.environ.get("CC", "gcc") if arch == "x86_64" else f"{ARCHS[arch][1]}-gcc"
    if not shutil.which(name):
        raise BedError(f"{name} is missing: run tools/host-packages.sh build {arch}")
    return shutil.which(name)


def tool(image, name):
    """The path of a dom0 program for this image's Xen; compiled when its source is newer."""
    source, program = f"{HERE}/{name}.c", os.path.join(image.dir, name)
    if os.path.exists(program) and os.path.getmtime(program) >= os.path.getmtime(source):
        return program
    unpacked = os.path.join(image.dir, "libxen-dev")
    fetch(image.suite, unpacked, ["libxen-dev"], arch=image.arch)
    libraries = [f"-l{library}" for library in LIBRARIES]
    command = [compiler_for(image.arch), "-O2", "-Wall", "-Wextra", "-static", "-I", unpacked + "/usr/include",
               "-L", f"{unpacked}/usr/lib/{ARCHS[image.arch][1]}", "-o", program + ".new", source,
               *libraries, "-lpthread"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BedError(f"{name}.c could not be compiled:\n{done.stderr}")
    os.replace(program + ".new", program)
    shutil.rmtree(unpacked)
    return program
