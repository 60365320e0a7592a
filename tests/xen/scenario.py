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
import typing

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BED = os.path.join(ROOT, "tools/bed/bed.py")
DEFAULTS = {"needs": "", "dom0": "", "limit": "30", "arch": "x86_64", "xen": "4.17 4.20", "gic": "2 3", "clock": "counted",
            "cpu": "", "soak": "", "again": ""}
OPTIONAL = ("4.14",)    # an archived Debian: without its packages its tests are skipped
LOADER = "multiboot_dma.bin"    # of HVM domains that start by kernel=
SOURCED = ("tap", "net", "clients", "hostile", "clock")   # of dom0/: scenarios take what they want of it
BED_MARGIN_S = 30       # for restoring a bed and sending its results
BED_LIMIT_S = 900       # for one bed, whatever its tests may take in sum, unless it is to take long
SHOWN_LINES = 60        # of what a failed test said


class Where(typing.NamedTuple):
    """Which bed, and whose domains on it: Xen for arm64 runs those of both ARMs, one for 32 bits ARMv7's."""
    arch: str
    host: str           # Xen's own CPU
    xen: str
    gic: str            # version of the interrupt controller; "" on x86
    clock: str
    cpu: str            # QEMU's model of the bed's, on ARM; "" for the usual one

    def name(self):
        if self.arch == "x86_64":
            return self.xen
        return f"{self.arch}-{'xen32' if self.host == 'arm32' else self.cpu or f'gic{self.gic}'}"

    def tags(self):
        """What a scenario's "# not_TAG:" may name."""
        return {self.arch, "x86" if self.arch == "x86_64" else "arm", f"gic{self.gic}",
                *(["xen32"] if self.host == "arm32" else [])}

    def short_keys(self):
        """The lines that say which of the tests are short there."""
        if self.arch == "x86_64":
            return ["each_xen"]
        if self.host == "arm32":
            return ["short_xen32"]
        return ["short_gic2"] if self.gic == "2" else ["short", f"short_{self.arch}"]

    def options(self):
        return ["--arch", self.host, "--xen", self.xen, "--clock", self.clock,
                *(["--gic", self.gic] if self.gic else []), *(["--cpu", self.cpu] if self.cpu else [])]


class Scenario:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-len(".sh")]
        with open(path) as file:
            text = file.read()
        self.header = header = dict(DEFAULTS, **dict(re.findall(r"^# (\w+): (.*)$", text, re.M)))
        self.needs = header["needs"].split()
        self.needs += [name + ".dom0" for name in header["dom0"].split()]
        self.limit, self.soak = int(header["limit"]), bool(header["soak"])
        self.again = header["again"].split()
        self.tests = re.findall(r"^(test_\w+)\(\)", text, re.M)

    def places(self, arch):
        """The beds of that CPU that it runs on. ARM's are of one version, and a 32-bit one knows GICv2 alone."""
        if arch not in self.header["arch"].split():
            return []
        clock, cpu = self.header["clock"], self.header["cpu"]
        if arch == "x86_64":
            return [Where(arch, arch, xen, "", clock, cpu) for xen in self.header["xen"].split()]
        return [Where(arch, "arm64", "4.17", gic, clock, cpu) for gic in self.header["gic"].split()] + (
            [Where(arch, "arm32", "4.17", "2", clock, "")] if arch == "arm32" else [])

    def tests_on(self, where, short):
        left_out = self.names(*(f"not_{tag}" for tag in where.tags() | ({"short"} if short else set())))
        chosen = tests = [test for test in self.tests if test not in left_out]
        if short:
            chosen = self.names(*where.short_keys()) | set(self.turn_of(tests, where) if where.arch == "x86_64" else ())
        return [test for test in tests if test in chosen]

    def turn_of(self, tests, where):
        """On x86 each short test runs on one version, and each version of Xen has its share of each scenario; but
        a second bed with the clock "multi" would be for three tests."""
        versions = [xen for xen in self.header["xen"].split() if xen not in OPTIONAL]
        versions = versions[:1] if where.clock == "multi" else versions
        return tests[versions.index(where.xen)::len(versions)] if where.xen in versions else []

    def names(self, *keys):
        return {f"test_{name}" for key in keys for name in self.header.get(key, "").split()}


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
    """Chosen tests of one scenario, or of several, that one bed runs."""

    def __init__(self, where, parts, guest=""):
        """parts: [(scenario, its tests)]"""
        self.where, self.parts, self.guest = where, parts, guest
        self.waiting = [test for _, tests in parts for test in tests]
        self.images = self.out = None
        self.lines = []     # of the running test
        self.running, self.since = None, 0.0

    def keep_in(self, folder):
        self.images, self.out = images_of(self.where.arch, folder), f"{folder}/{self.where.name()}-{self.name()}"

    def name(self):
        if len(self.parts) > 1:
            return f"{self.where.clock}-{self.parts[0][0].name}"
        scenario = self.parts[0][0]
        name = self.waiting[0][len("test_"):] if scenario.soak else scenario.name
        return f"{self.guest}-{name}" if self.guest else name

    def label(self, test):
        return (f"{'xen-' if self.where.arch == 'x86_64' else ''}{self.where.name()}: "
                f"{self.guest + ' ' if self.guest else ''}{test[len('test_'):]}")

    def needs(self):
        needs = {need for scenario, _ in self.parts for need in scenario.needs}
        return sorted(needs | ({LOADER} if self.guest in ("hvm", "rtl") else set()))

    def limit(self):
        return sum(scenario.limit * len(tests) for scenario, tests in self.parts)

    def command(self):
        os.makedirs(self.out, exist_ok=True)
        script = os.path.join(self.out, "script")
        with open(script, "w") as file:
            file.write(f"export arch={self.where.arch} again={self.guest}\n. /scenario/check.sh\n")
            for scenario, tests in self.parts:
                file.write(f"run_tests {scenario.name} {scenario.limit} {' '.join(tests)}\n")
        limit = BED_MARGIN_S + self.limit()
        if not self.guest and not any(scenario.soak for scenario, _ in self.parts):
            limit = min(BED_LIMIT_S, limit)
        command = [BED, "run", *self.where.options(), "--script", script, "--timeout", str(limit),
                   "--out", self.out + "/bed", "--file", f"{HERE}/dom0/check.sh",
                   *(f"--file={HERE}/dom0/{name}.sh" for name in SOURCED),
                   *(f"--file={scenario.path}:{scenario.name}.tests" for scenario, _ in self.parts)]
        for need in self.needs():
            name = {"xen-shim": f"{need}-{self.where.xen}"}.get(need, file_of(need))
            name += f".{self.where.host}" if need.endswith(".dom0") else ""
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


def images_of(arch, folder):
    return f"{folder}/images" + ("" if arch == "x86_64" else f"-{arch}")


def file_of(need):
    """What it is called in dom0, where NAME.elf is what xl's kernel= wants, on ARM an Image or a zImage."""
    return need if "." in need or need == "xen-shim" else need + ".elf"
