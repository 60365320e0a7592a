#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The floors of the house: a file may include only from its own folder and from floors below, and no
headers may include each other in a circle. Prints each offence and exits 1 if there is one.

Also refuses conditions on the CPU or the guest type outside the folders meant for them.
"""
import glob
import os
import re
import sys

# Folder to floor; x86 and arm stand on kernel, of which they know the scheduler's entry points.
FLOORS = {
    "x86/include": 0, "arm/include": 0, "arm/arm32/include": 0, "arm/arm64/include": 0, "hypercall": 1, "lib": 2, "mm": 3, "events": 4, "grant": 4,
    "kernel": 5, "x86": 5.5, "x86/pv": 5.6, "x86/hvm": 5.6, "arm": 5.5, "console": 6, "xenbus": 6, "pci": 6, "control": 7,
    "include": 7.2, "libc": 7.5, "net": 8, "netfront": 9, "rtl8139": 9, "apps": 9, "boot": 10,
}
ARCH_INCLUDES = ("x86/include", "arm/include", "arm/arm32/include", "arm/arm64/include")
ARCH_FOLDERS = ("boot/", "x86/", "arm/", "tests/", "tools/")
GUEST_IF = re.compile(r"^\s*#\s*if.*(__x86|__i386|__aarch|__arm|\bPV\b|\bHVM\b|\bPVH\b)")


def floor_of(path):
    """(folder, floor) of a path as it is included or lies in the tree; None: not of the house."""
    folder = os.path.dirname(path)
    folder = "x86/include" if folder in ("arch", *(f"{f}/arch" for f in ARCH_INCLUDES)) else folder
    while folder and folder not in FLOORS:
        folder = os.path.dirname(folder)
    return (folder, FLOORS[folder]) if folder else None


def sources():
    for folder in FLOORS:
        for path in glob.glob(f"{folder}/**/*.[chS]", recursive=True):
            yield path


def includes(path):
    with open(path) as file:
        for number, line in enumerate(file, 1):
            found = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
            if found:
                yield number, found.group(1)


def check_floors(paths):
    for path in paths:
        own = floor_of(path)
        for number, included in includes(path):
            other = floor_of(included)
            if not other or other[0] == own[0] or other[1] < own[1]:
                continue
            yield (f"{path}:{number}: {own[0]}/ (floor {own[1]}) may not include {included} "
                   f"(floor {other[1]})")


def check_cycles(paths):
    graph = {}
    for path in paths:
        graph[path] = [other for _, name in includes(path)
                       for other in ([f"{folder}/{name}" for folder in ARCH_INCLUDES]
                                     if name.startswith("arch/") else [name])
                       if os.path.exists(other)]
    done = set()

    def visit(path, trail):
        if path in trail:
            yield "a circle of includes: " + " -> ".join(trail[trail.index(path):] + [path])
        elif path not in done:
            for name in graph.get(path, []):
                yield from visit(name, trail + [path])
            done.add(path)

    for path in graph:
        yield from visit(path, [])


def check_conditions(paths):
    for path in paths:
        if path.startswith(ARCH_FOLDERS):
            continue
        with open(path) as file:
            for number, line in enumerate(file, 1):
                if GUEST_IF.match(line):
                    yield f"{path}:{number}: a condition on CPU or guest type: {line.strip()}"


def main():
    paths = sorted(set(sources()))
    offences = [*check_floors(paths), *check_cycles(paths), *check_conditions(paths)]
    for offence in offences:
        print(offence)
    print(f"layers: {len(paths)} files, {len(offences)} offences")
    sys.exit(bool(offences))


main()
