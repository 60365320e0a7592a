#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of the test bed itself: a damaged or outdated snapshot is noticed, a run ends in time and
brings back what it promises. The last line is "N passed, N failed".

usage: run.py [PATTERN]
"""
import json
import os
import shutil
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/bed"))
from session import Bed                         # noqa: E402
from snapshot import Snapshot                   # noqa: E402

BED = Bed("4.17", "multi", say=lambda text: print(f"# bed: {text}", flush=True))
END_S = 30  # what a run may take beyond its own limit on a busy machine


def copied(folder):
    """The real snapshot, with its small files where they can be damaged."""
    snapshot = Snapshot("4.17", "multi")
    for name in ("state", "stamp"):
        copy = os.path.join(folder, name)
        shutil.copy2(getattr(snapshot, name), copy)
        setattr(snapshot, name, copy)
    return snapshot


def restamp(snapshot, change):
    with open(snapshot.stamp) as file:
        stamp = json.load(file)
    change(stamp)
    with open(snapshot.stamp, "w") as file:
        json.dump(stamp, file)


def test_snapshot_untouched_is_good(folder):
    assert copied(folder).good()


def test_snapshot_truncated_is_noticed(folder):
    snapshot = copied(folder)
    os.truncate(snapshot.state, os.path.getsize(snapshot.state) - 1)
    assert not snapshot.good()


def test_snapshot_flipped_bit_is_noticed(folder):
    snapshot = copied(folder)
    status = os.stat(snapshot.state)
    with open(snapshot.state, "r+b") as file:
        file.seek(status.st_size // 2)
        byte = file.read(1)[0]
        file.seek(status.st_size // 2)
        file.write(bytes([byte ^ 1]))
    os.utime(snapshot.state, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not snapshot.good()


def test_snapshot_memory_touched_is_noticed(folder):
    snapshot = copied(folder)
    restamp(snapshot, lambda stamp: stamp["marks"][0].__setitem__(1, stamp["marks"][0][1] - 1))
    assert not snapshot.good()


def test_snapshot_of_other_inputs_is_noticed(folder):
    snapshot = copied(folder)
    restamp(snapshot, lambda stamp: stamp.__setitem__("inputs", stamp["inputs"] + " -smp 3"))
    assert not snapshot.good()


def test_snapshot_without_stamp_is_noticed(folder):
    snapshot = copied(folder)
    with open(snapshot.stamp, "w") as file:
        file.write("{")
    assert not snapshot.good()
    os.unlink(snapshot.stamp)
    assert not snapshot.good()


def test_run_brings_back_what_it_promises(folder):
    result = BED.run("cat given; echo left >out/file; exit 7", files={"given": b"a file\n"})
    assert result.exit == 7, result.exit
    assert "a file" in result.output, result.output
    assert result.files["file"] == b"left\n", result.files
    assert int(result.timings["dom0_end_ns"]) > int(result.timings["dom0_start_ns"]), result.timings


def test_run_ends_in_time_whatever_happens(folder):
    start = time.monotonic()
    result = BED.run("echo begun; trap '' TERM; while :; do :; done", timeout=4)
    assert result.exit == 124, result.exit
    assert "begun" in result.output, result.output
    assert time.monotonic() - start < 4 + END_S


def test_run_says_when_dom0_dies(folder):
    result = BED.run("echo c >/proc/sysrq-trigger; sleep 60", timeout=50)
    assert result.exit == 125, result.exit


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = [(name[5:], test) for name, test in globals().items()
             if name.startswith("test_") and pattern in name]
    failed = 0
    if tests:
        BED.build()
    for number, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(folder)
                print(f"ok {number} - bed: {name}", flush=True)
            except AssertionError as error:
                failed += 1
                print(f"not ok {number} - bed: {name}: {error}", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
