# SPDX-License-Identifier: MIT
"""Runs built programs (image.Program), each in a fresh domain or several in one, many to one bed, and says
of each what became of it. dom0.sh is the other side."""
import itertools
import os
import re
import subprocess
from dataclasses import dataclass

from image import ARCH, HERE, ROOT

BED = os.path.join(ROOT, "tools/bed/bed.py")
PER_BED = 200           # domains to one bed
BED_LIMIT_S = 900       # wall time for one bed
BED_ARCH = "x86_64" if ARCH == "x86_64" else "arm64"    # Xen for arm64 runs domains of both ARMs


@dataclass
class Outcome:
    program: object
    vcpus: int
    passed: bool
    why: str = ""       # one line
    text: str = ""      # the last lines of its console, if it failed
    seconds: float = 0  # in dom0's clock


class Batch:
    """A list of programs for one bed. run() calls heard(Outcome) for each, as they end."""

    def __init__(self, programs, vcpus, clock, at_once, together, folder):
        self.together = together
        self.waiting, self.ended = dict(enumerate(programs)), set()
        self.vcpus, self.clock, self.folder = vcpus, clock, folder
        self.at_once, self.texts = at_once, {}
        self.running = None     # whose domain began last, and has not ended

    def command(self):
        os.makedirs(self.folder, exist_ok=True)
        images = sorted({p.image for p in self.waiting.values()})
        with open(f"{self.folder}/list", "w") as file:
            file.write(f"{self.at_once}\n")
            file.writelines(self.lines())
        command = [BED, "run", "--arch", BED_ARCH, "--clock", self.clock, "--script", f"{HERE}/dom0.sh", "--timeout",
                   str(BED_LIMIT_S), "--out", f"{self.folder}/bed", "--file", f"{self.folder}/list"]
        for image in images:
            command += ["--file", image]
        return command

    def lines(self):
        """What dom0.sh's list says of the programs."""
        def key(item):
            p = item[1]
            # What has arguments of its own, or does not end with 0, is alone.
            own = item[0] if p.args or p.expect or self.together == 1 else -1
            return own, p.image, p.memory, p.limit, p.kernel_options

        for (own, image, memory, limit, options), group in itertools.groupby(sorted(self.waiting.items(), key=key), key):
            group = list(group)
            how = f"{os.path.basename(image)} {self.vcpus} {memory} {limit} {' '.join([*options, '--'])}"
            if own >= 0:
                number, p = group[0]
                yield f"{number} {how} {' '.join([p.name, *p.args])}\n"
                continue
            for first in range(0, len(group), self.together):
                yield f"together {how} {' '.join(f'{n}={p.name}' for n, p in group[first:first + self.together])}\n"

    def run(self, heard):
        """On a slow machine one bed's time is not enough for all: another goes on with the rest."""
        said = ""
        while self.waiting:
            before, said = len(self.ended), self.run_bed(heard)
            self.waiting = left = {n: p for n, p in self.waiting.items() if n not in self.ended}
            if len(self.ended) > before:
                continue
            if self.running not in left:
                break
            # It took all of a bed's time: computing for 40 s of a domain's may be an hour of a busy machine's.
            heard.outcome(Outcome(left.pop(self.running), self.vcpus, False, f"still going on after a bed's {BED_LIMIT_S} s"))
        for program in self.waiting.values():
            heard.outcome(Outcome(program, self.vcpus, False, "the bed ended before it: " + said))

    def run_bed(self, heard):
        """One bed, as long as it lasts; the last thing it said."""
        command, self.running = self.command(), None
        with open(f"{self.folder}.err", "w+", errors="replace") as errors:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=errors, text=True, errors="replace") as bed:
                for line in bed.stdout:
                    found = re.match(r"@text (\d+) (.*)", line)
                    if found:
                        self.texts.setdefault(int(found.group(1)), []).append(found.group(2).rstrip())
                    found = re.match(r"@begin (\d+)", line)
                    if found:
                        self.running = int(found.group(1))
                    found = re.match(r"@end (\d+) (\S+) (\d+)", line)
                    if found:
                        number, self.running = int(found.group(1)), None
                        self.ended.add(number)
                        heard.outcome(self.outcome(number, found.group(2), int(found.group(3)) / 1000))
            errors.seek(0)
            return (errors.read().strip().splitlines() or ["?"])[-1]

    def outcome(self, number, status, seconds):
        program, text = self.waiting[number], "\n".join(self.texts.get(number, []))
        if status == str(program.expect):
            why = ""
        elif status == "hung":
            why = f"not at its end after {program.limit} s"
        elif status.lstrip("-").isdigit():
            why = f"exit status {status}"
        else:
            why = {"panic": "the kernel panicked", "none": "ended without a word",
                   "create": "xl could not create its domain"}.get(status, status)
        return Outcome(program, self.vcpus, not why, why, text, seconds)


def batches(programs, vcpus, clock, at_once, together, beds, folder):
    """The programs in as many batches as beds are wanted: `beds`, that go on at the same time, if that is enough."""
    count = max(min(beds, len(programs)), -(-len(programs) // (PER_BED * together)))
    return [Batch(programs[n::count], vcpus, clock, at_once, together, f"{folder}/{clock}-{vcpus}-{n}")
            for n in range(count)]
