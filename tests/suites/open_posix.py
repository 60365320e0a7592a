# SPDX-License-Identifier: MIT
"""The Open POSIX Test Suite: the conformance tests of threads, semaphores, scheduling, clocks, timers and
time, and of those subjects' headers, as Debian's source package posixtestsuite has them.

A test is a C file with a main() that exits with 0 for a pass; a header's test is a C file that has to
compile. Compiled as the suite's own Makefile does, without -Werror. What is left out, and why, is in
open_posix.exclude. Signals are a suite of their own: posix_signals.py.
"""
import glob
import os
import re

from image import HERE, Program, fetch_source

PACKAGE, VCPUS, CLOCK = "posixtestsuite", (1, 4), "counted"
INTERFACES = (r"pthread_\w+|sem_\w+|sched_\w+|clock(_\w+)?|nanosleep|timer_\w+|time|strftime|asctime|ctime|"
              r"difftime|gmtime|localtime|mktime")
HEADERS = r"pthread_h|sched_h|signal_h|time_h|errno_h|unistd_h"


def fetch(folder):
    fetch_source(PACKAGE, folder)


def tests(source, interfaces, headers):
    """Every test of these folders of conformance/interfaces and conformance/definitions."""
    flags = ["-std=gnu99", "-D_POSIX_C_SOURCE=200112L", "-Wno-implicit-function-declaration",
             f"-I{source}/include", f"-I{HERE}/driver/include"]
    found = []
    for path in sorted(glob.glob(f"{source}/conformance/*/*/**/[0-9]*.c", recursive=True)):
        kind, subject, *rest = os.path.relpath(path, f"{source}/conformance").split(os.sep)
        if not re.fullmatch({"interfaces": interfaces, "definitions": headers}.get(kind, ""), subject):
            continue
        with open(path, errors="replace") as file:
            has_main = re.search(r"\bmain\s*\(", file.read())
        found.append(Program("/".join([subject, *rest])[:-len(".c")], [path],
                             [*flags, f"-I{os.path.dirname(path)}"],
                             compile_only=not has_main or "buildonly" in path))
    return found


def programs(source):
    return tests(source, INTERFACES, HEADERS)
