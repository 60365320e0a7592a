#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs test suites that others wrote, unmodified, on the test bed.

  run.py [--only PATTERN] [--vcpus 1,4] [--clock counted|multi] [--together N] [--list] [SUITE...]

The suites are open_posix, posix_signals, ck and newlib: a file each, with what they need. Every test program runs in a
fresh domain; on ARM several share one, and what fails there gets one to itself. What a suite leaves out
stands with its reason in SUITE.exclude; of the rest, what does not compile, link, end or succeed has failed. Sources are fetched as Debian packages into build/suites/.
What the domains said is in build/suites/results/, on ARM in build/suites/results/arm64/. The last line is "N passed, N failed".
"""
import argparse
import concurrent.futures
import importlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import batch
import image
from image import ARCH, HERE, ROOT

OUT = f"{ROOT}/build/suites"
SUITES = ("open_posix", "posix_signals", "ck", "newlib")
STEP_S = 20     # between lines of progress
TOGETHER = 24   # on ARM, where the bed spends two CPU-seconds on a domain
BEGIN = time.monotonic()


def say(text):
    print(f"# [{time.monotonic() - BEGIN:5.1f} s] {text}", flush=True)


def exclusions(suite):
    """[(pattern, reason)] of SUITE.exclude: lines "PATTERN: REASON"."""
    found = []
    path = f"{HERE}/{suite}.exclude"
    with open(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                pattern, colon, reason = line.strip().partition(": ")
                if not colon:
                    raise SystemExit(f"{path}:{number}: no reason")
                found.append((re.compile(pattern), reason))
    return found


def mark(suite):
    """The folder of what belongs to a suite on this CPU."""
    return suite if ARCH == "x86_64" else f"{ARCH}/{suite}"


def excluded(program, rules):
    return next((reason for pattern, reason in rules if pattern.fullmatch(program.name)), None)


class Heard:
    """Collects outcomes from the beds and shows them; a run that is broken off has left them in results.txt."""

    def __init__(self, suite, total, folder):
        self.suite, self.total, self.said = suite, total, time.monotonic()
        self.lock, self.outcomes = threading.Lock(), []
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.results = f"{folder}/results.txt"

    def outcome(self, outcome):
        with self.lock:
            self.outcomes.append(outcome)
            with open(self.results, "a") as file:
                file.write(result_line(self.suite, outcome) + "\n")
            if time.monotonic() - self.said > STEP_S:
                say(f"{self.suite}: {len(self.outcomes)} of {self.total} tests")
                self.said = time.monotonic()


def last_line(text):
    """What the program said last: not the kernel's words on its end."""
    lines = [re.sub(r"suite: exit\(.*", "", l).strip() for l in text.splitlines()]
    lines = [l for l in lines if l]
    return lines[-1][:160] if lines else ""


def run_suite(name, options):
    """(passed, failed)"""
    suite = importlib.import_module(name)
    rules = exclusions(getattr(suite, "EXCLUSIONS", name))
    source = f"{OUT}/src/{suite.PACKAGE}"
    suite.fetch(f"{OUT}/src")
    all_programs = suite.programs(source)
    programs = [p for p in all_programs if not excluded(p, rules)]
    say(f"{name}: {len(all_programs)} tests, {len(all_programs) - len(programs)} excluded")
    programs = [p for p in programs if re.search(options.only, f"{name} {p.name}")]
    if options.list or not programs:
        for p in programs:
            print(f"{name} {p.name}")
        return 0, 0
    image.build(programs, f"{OUT}/obj/{mark(name)}", say)
    to_run = [p for p in programs if p.image]
    vcpus = [int(n) for n in options.vcpus.split(",")] if options.vcpus else suite.VCPUS
    clock = options.clock or suite.CLOCK
    # Where one CPU is shared and sleeping costs nothing, side by side would only blur the times.
    at_once = getattr(suite, "AT_ONCE", 4 if clock == "multi" else 1)
    heard = Heard(name, len(to_run) * len(vcpus), f"{OUT}/results/{mark(name)}")
    if to_run:
        subprocess.run([batch.BED, "build", "--arch", batch.BED_ARCH, "--clock", clock], check=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [pool.submit(b.run, heard) for n in vcpus
                for b in batch.batches(to_run, n, clock, at_once, options.together, options.jobs, f"{OUT}/results/{mark(name)}")]
        for done in runs:
            done.result()
    return report(name, programs, heard.outcomes, heard.results)


def how(outcome):
    return "compiled" if outcome.vcpus == 0 else f"vcpus={outcome.vcpus}"


def result_line(name, outcome):
    tail = last_line(outcome.text) if not outcome.passed else ""
    line = f"{'ok' if outcome.passed else 'FAILED'} {name} {how(outcome)}: {outcome.program.name}"
    if not outcome.passed:
        line += f" ({outcome.why}{'; ' + tail if tail else ''})"
    return line + (f" {outcome.seconds:.1f} s" if outcome.seconds else "")


def report(name, programs, outcomes, results):
    """Print each failure, write all results; (passed, failed)"""
    for p in programs:
        if p.broken:
            outcomes.append(batch.Outcome(p, 0, False, p.broken))
        elif p.compile_only:
            outcomes.append(batch.Outcome(p, 0, True))
    outcomes.sort(key=lambda o: (o.vcpus, o.program.name))
    counts = {}
    with open(results, "w") as file:
        for o in outcomes:
            file.write(result_line(name, o) + "\n")
            passed, all_of = counts.get(how(o), (0, 0))
            counts[how(o)] = (passed + o.passed, all_of + 1)
            if not o.passed:
                print(result_line(name, o))
    for kind, (passed, all_of) in counts.items():
        say(f"{name} {kind}: {passed} of {all_of} passed ({100 * passed / all_of:.1f} %)")
    passed = sum(o.passed for o in outcomes)
    return passed, len(outcomes) - passed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="PATTERN",
                        help='a regular expression, searched in "SUITE TEST"')
    parser.add_argument("--vcpus", metavar="N,N", help="instead of what the suite says")
    parser.add_argument("--clock", choices=("counted", "multi"), help="instead of what the suite says")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="beds at a time")
    parser.add_argument("--together", type=int, default=1 if ARCH == "x86_64" else TOGETHER, metavar="N",
                        help="tests to a domain; what fails there runs again alone, and only that counts")
    parser.add_argument("--list", action="store_true", help="say what would run")
    parser.add_argument("suites", nargs="*", metavar="SUITE", default=SUITES)
    options = parser.parse_args()
    passed = failed = 0
    for name in options.suites:
        counts = run_suite(name, options)
        passed, failed = passed + counts[0], failed + counts[1]
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed else 1


if __name__ == "__main__":
    sys.exit(main())
