#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The CDs of an image: the file on them is the image, byte by byte, and in a machine without Xen they say so.

usage: check_iso.py [--only PATTERN] IMAGE.elf CD.iso...

The last line is "N passed, N failed".
"""
import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time

LIMIT_S = 120       # for BIOS, GRUB and the first words, on a busy machine
QEMU = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-accel", "tcg", "-m", "64", "-display", "none",
        "-no-reboot", "-boot", "d"]
NO_XEN = b"error: there is no Xen below this machine"


def sum_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def same_file(image, iso, folder):
    """What Xen's own loader gets is what GRUB loads."""
    copy = os.path.join(folder, "copy")
    subprocess.run(["xorriso", "-indev", iso, "-osirrox", "on", "-extract", f"/boot/{os.path.basename(image)}",
                    copy], check=True, capture_output=True)
    assert sum_of(copy) == sum_of(image), f"{sum_of(copy)}, not {sum_of(image)}"


def without_xen_it_says_so(_, iso, folder):
    serial, end = os.path.join(folder, "serial"), time.monotonic() + LIMIT_S
    with subprocess.Popen([*QEMU, "-cdrom", iso, "-serial", f"file:{serial}"]) as machine:
        try:
            while time.monotonic() < end and machine.poll() is None:
                if os.path.exists(serial) and NO_XEN in open(serial, "rb").read():
                    return
                time.sleep(0.1)
        finally:
            machine.kill()
    said = open(serial, "rb").read() if os.path.exists(serial) else b""
    raise AssertionError(f"no word of Xen within {LIMIT_S} s: {said[-200:]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("image")
    parser.add_argument("iso", nargs="+")
    args = parser.parse_args()
    counts = {True: 0, False: 0}

    for iso in args.iso:
        for check in (same_file, without_xen_it_says_so):
            name = f"image/{os.path.basename(iso)} {check.__name__}"
            if args.only not in name:
                continue
            why = ""
            try:
                with tempfile.TemporaryDirectory() as folder:
                    check(args.image, iso, folder)
            except (AssertionError, OSError, subprocess.CalledProcessError) as error:
                why = f": {type(error).__name__}: {error}"
            counts[not why] += 1
            print(f"{'not ok' if why else 'ok'} - {name}{why}", flush=True)
    print(f"{counts[True]} passed, {counts[False]} failed")
    return counts[False] != 0


sys.exit(main())
