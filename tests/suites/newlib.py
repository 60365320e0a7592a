# SPDX-License-Identifier: MIT
"""newlib's own test suite, from the sources the C library is built from (tools/newlib.sh).

A test is a program that returns 0; some (".exp" says so) must print what a file of theirs holds.
"""
import glob
import os

from image import ROOT, Program

PACKAGE, VCPUS, CLOCK = "newlib", (1,), "counted"
TESTSUITE = f"{ROOT}/build/newlib-source/src/newlib/testsuite"


def fetch(folder):
    """tools/newlib.sh has done it."""


def programs(source):
    """Every C file of the test suite."""
    return [Program(os.path.relpath(path, TESTSUITE)[:-len(".c")], [path],
                    ["-std=gnu99", f"-I{TESTSUITE}/include"],
                    kernel_options=["-stack=1024"])
            for path in sorted(glob.glob(f"{TESTSUITE}/newlib.*/*.c"))]
