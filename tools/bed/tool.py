# SPDX-License-Identifier: MIT
"""Programs of ours that run in dom0 (boottime): compiled here, against the bed's own Xen.

Statically linked, so that it doesn't matter whose libc is older. They travel with an order, as any
other file does, and are no part of the snapshot. image.py has dom0's own programs.
"""
import os
import shutil
import subprocess

from image import HERE, BedError, fetch

# Of libxen-dev, each before what it needs.
LIBRARIES = ["xenctrl", "xenforeignmemory", "xengnttab", "xenevtchn", "xendevicemodel", "xencall",
             "xentoollog", "xentoolcore"]


def tool(image, name):
    """The path of a dom0 program for this image's Xen; compiled when its source is newer."""
    source, program = f"{HERE}/{name}.c", os.path.join(image.dir, name)
    if os.path.exists(program) and os.path.getmtime(program) >= os.path.getmtime(source):
        return program
    compiler = shutil.which(os.environ.get("CC", "gcc"))
    if not compiler:
        raise BedError("gcc is missing: run tools/host-packages.sh build")
    unpacked = os.path.join(image.dir, "libxen-dev")
    fetch(image.suite, unpacked, ["libxen-dev"])
    libraries = [f"-l{library}" for library in LIBRARIES]
    command = [compiler, "-O2", "-Wall", "-Wextra", "-static", "-I", unpacked + "/usr/include",
               "-L", unpacked + "/usr/lib/x86_64-linux-gnu", "-o", program + ".new", source,
               *libraries, "-lpthread"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BedError(f"{name}.c could not be compiled:\n{done.stderr}")
    os.replace(program + ".new", program)
    shutil.rmtree(unpacked)
    return program
