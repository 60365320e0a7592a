# SPDX-License-Identifier: MIT
"""What a scenario file says of itself, the run of its tests on one bed, and the lines that come out.

The conversation with dom0 is in its output: between "@begin TEST" and "@end TEST CODE NOTE" all
belongs to the test (dom0/check.sh). Which scenarios run, and when, is run.py's.
"""
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BED = os.path.join(ROOT, "tools/bed/bed.py")
DEFAULTS = {"needs": "", "dom0": "", "limit": "30", "xen": "4.17 4.20", "clock": "counted", "soak": "", "again": ""}
LOADER = "multiboot_dma.bin"    # of HVM domains that start by kernel=
SOURCED = ("tap", "net", "clients", "hostile", "clock", "boots")   # of dom0/: scenarios take what they want of it
BED_MARGIN_S = 30       # for restoring a bed and sending its results
BED_LIMIT_S = 900       # for one bed, whatever its tests may take in sum, unless it is to take long
SHOWN_LINES = 60        # of what a failed test said


class Scenario:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-len(".sh")]
        with open(path) as file:
            text = file.read()
        header = dict(DEFAULTS, **dict(re.findall(r"^# (\w+): (.*)$", text, re.M)))
        self.needs, self.versions = header["needs"].split(), header["xen"].split()
        self.needs += [name + ".dom0" for name in header["dom0"].split()]
        self.limit, self.clock = int(header["limit"]), header["clock"]
        self.soak, self.again = bool(header["soak"]), header["again"].split()
        self.tests = re.findall(r"^(test_\w+)\(\)", text, re.M)


class Report:
    """The result lines, numbered as they come; one at a time from any thread."""

    def __init__(self, count):
        self.lock, self.number = threading.Lock(), 0
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        print(f"1..{count}", flush=True)

    def add(self, label, outcome, detail="", seconds=None, lines=()):
        with self.lock:
            self.number += 1
            self.counts[outcome] += 1
            word = "not ok" if outcome == "failed" else "ok"
            if outcome == "skipped":
                label += f" # SKIP {detail}"
            else:
                label += f" ({'; '.join(filter(None, [detail, f'{seconds:.1f} s' if seconds else '']))})"
            print(f"{word} {self.number} - {label}")
            for line in list(lines)[-SHOWN_LINES:]:
                print(f"    {line}")
            sys.stdout.flush()

    def last_line(self):
        skipped = self.counts["skipped"]
        return (f"{self.counts['passed']} passed, {self.counts['failed']} failed"
                + (f", {skipped} skipped" if skipped else ""))


class Group:
    """The chosen tests of one scenario on one version: one restored bed."""

    def __init__(self, scenario, xen, tests, guest=""):
        self.scenario, self.xen, self.waiting, self.guest = scenario, xen, list(tests), guest
        self.needs = scenario.needs + ([LOADER] if guest in ("hvm", "rtl") else [])
        self.images = self.out = None
        self.lines = []     # of the running test
        self.running, self.since = None, 0.0

    def keep_in(self, folder):
        self.images, self.out = f"{folder}/images", f"{folder}/{self.xen}-{self.name()}"

    def name(self):
        name = self.waiting[0][len("test_"):] if self.scenario.soak else self.scenario.name
        return f"{self.guest}-{name}" if self.guest else name

    def label(self, test):
        return f"xen-{self.xen}: {self.guest + ' ' if self.guest else ''}{test[len('test_'):]}"

    def command(self):
        os.makedirs(self.out, exist_ok=True)
        script = os.path.join(self.out, "script")
        with open(script, "w") as file:
            file.write(f"export guest={self.guest}\n. /scenario/check.sh\nrun_tests {self.scenario.limit} {' '.join(self.waiting)}\n")
        limit = BED_MARGIN_S + self.scenario.limit * len(self.waiting)
        if not self.scenario.soak and not self.guest:
            limit = min(BED_LIMIT_S, limit)
        command = [BED, "run", "--xen", self.xen, "--clock", self.scenario.clock,
                   "--script", script, "--timeout", str(limit), "--out", self.out + "/bed",
                   "--file", f"{HERE}/dom0/check.sh",
                   *(f"--file={HERE}/dom0/{name}.sh" for name in SOURCED), "--file", f"{self.scenario.path}:tests.sh"]
        for need in self.needs:
            name = f"{need}-{self.xen}" if need == "xen-shim" else file_of(need)
            command += ["--file", f"{self.images}/{name}:{file_of(need).removesuffix('.dom0')}"]
        return command

    def run(self, report):
        command = self.command()
        with open(os.path.join(self.out, "bed.err"), "w+", errors="replace") as errors:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=errors, text=True, errors="replace") as bed:
                for line in bed.stdout:
                    self.heard(line.rstrip("\r\n"), report)
            errors.seek(0)
            said = errors.read().splitlines()
        # Whatever happened to the bed, each test gets its line.
        if self.running:
            report.add(self.label(self.running), "failed", "the bed ended during it",
                       time.monotonic() - self.since, self.lines + said)
            self.waiting.remove(self.running)
            said = []
        for test in self.waiting:
            report.add(self.label(test), "failed", "not reached", lines=said)
            said = []

    def heard(self, line, report):
        words = line.split(" ", 3)
        if words[0] == "@begin":
            self.running, self.since, self.lines = words[1], time.monotonic(), []
        elif words[0] == "@end" and words[1] == self.running:
            outcome = {"0": "passed", "skip": "skipped"}.get(words[2], "failed")
            report.add(self.label(self.running), outcome, words[3].strip() if len(words) > 3 else "",
                       time.monotonic() - self.since, self.lines if outcome == "failed" else ())
            self.waiting.remove(self.running)
            self.running = None
        else:
            self.lines.append(line)


def file_of(need):
    return need if "." in need or need == "xen-shim" else need + ".elf"
