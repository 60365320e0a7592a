# SPDX-License-Identifier: MIT
"""Concurrency Kit's regressions: its validate programs, as Debian's source package ck has them.

Which sources make a program, and which arguments it gets, is what Concurrency Kit's own makefiles do:
"make check" is run once with a stand-in for the compiler that notes what it is asked and makes scripts
that note how they are called. Then our compiler builds the same, for a system that is not Linux.
"""
import os
import shlex
import shutil
import subprocess

from image import Program, fetch_source

PACKAGE, VCPUS, CLOCK = "ck", (4,), "multi"
AT_ONCE = 1     # they spin
CORES = 4
# How often they repeat, which their sources let the builder choose (mostly 1000 times this). On the bed
# four vCPUs share two CPUs, and a program that spins for one that is not running waits for a time slice.
COUNTS = {"ITERATE": 1000, "PAIRS": 10000, "PAIRS_S": 1000, "ITERATIONS": 8, "STEPS": 10000}
# bookworm's: the version of later suites is not on every mirror.
SUITE = "bookworm"

STAND_IN = """#!/bin/sh
echo "cc|$PWD|$*" >>"$NOTES"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho "run|$PWD|${0##*/} $*" >>"$NOTES"\\n' >"$2"
chmod +x "$2"
"""


def fetch(folder):
    fetch_source(PACKAGE, folder, SUITE)


def notes(source):
    """What "make check" of every validate folder asks of the compiler and of the programs."""
    work = f"{source}.check"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work)
    with open(f"{work}/stand-in", "w") as file:
        file.write(STAND_IN)
    os.chmod(f"{work}/stand-in", 0o755)
    env = dict(os.environ, NOTES=f"{work}/notes", CC="gcc", CFLAGS="", LDFLAGS="")
    env.pop("MAKEFLAGS", None)
    quiet = {"cwd": work, "env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["./configure"], check=True, **quiet)
    for folder in sorted(os.listdir(f"{work}/regressions")):
        if os.path.isdir(f"{work}/regressions/{folder}/validate"):
            subprocess.run(["make", "-k", "-C", f"regressions/{folder}/validate", "check",
                            f"CC={work}/stand-in", f"CORES={CORES}"], check=False, **quiet)
    with open(f"{work}/notes") as file:
        return work, [line.rstrip("\n").split("|", 2) for line in file]


def programs(source):
    """Every program of every validate folder. What "make check" builds and does not run is run with the
    arguments of a program made from the same source."""
    work, lines = notes(source)
    built, calls = {}, {}
    for kind, where, rest in lines:
        words = shlex.split(rest)
        if kind == "run":
            calls.setdefault((where, words[0]), words[1:])
            continue
        name = words[words.index("-o") + 1]
        sources = [os.path.normpath(os.path.join(where, w)) for w in words if w.endswith(".c")]
        flags = [w for w in words if w.startswith(("-D", "-std=")) and not w.startswith("-DCORES")]
        built[where, name] = Program(
            f"{where.split('/')[-2]}/{name}", sources,
            [*flags, f"-DCORES={CORES}", *(f"-D{k}={n}" for k, n in COUNTS.items()), "-U__linux__",
             "-I", f"{work}/include", "-I", where],
            limit=240, memory=512)
    for key, program in built.items():
        same = [other for other, p in built.items() if p.sources == program.sources and other in calls]
        program.args = calls.get(key, calls[same[0]] if same else [])
    return list(built.values())
