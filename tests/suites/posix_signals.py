# SPDX-License-Identifier: MIT
"""The Open POSIX Test Suite's conformance tests of signals within one process."""
import open_posix
from open_posix import PACKAGE, CLOCK, fetch    # noqa: F401

VCPUS = (1,)
EXCLUSIONS = "open_posix"


def programs(source):
    return open_posix.tests(source, r"sig\w+|raise|getpid|kill", "")
