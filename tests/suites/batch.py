# SPDX-License-Identifier: MIT
"""Runs built programs (image.Program), each in a fresh domain, many to one restored bed, and says of
each what became of it. dom0.sh is the other side."""
import os
import re
import subprocess
from dataclasses import dataclass

from image import HERE, ROOT

BED = os.path.join(ROOT, "tools/bed/bed.py")
PER_BED = 200           # programs to one bed
BED_LIMIT_S = 900       # wall time for one bed


@dataclass
class Outcome:
    program: object
    vcpus: int
    passed: bool
    why: str = ""       # one line
    text: str = ""      # all that its console had
    seconds: float = 0  # in dom0's clock


class Batch:
    """A list of programs for one bed. run() calls heard(Outcome) for each, as they end."""

    def __init__(self, programs, vcpus, clock, folder):
        self.waiting, self.ended = dict(enumerate(programs)), {}
        self.vcpus, self.clock, self.folder = vcpus, clock, folder

    def command(self):
        os.makedirs(self.folder, exist_ok=True)
        images = sorted({p.image for p in self.waiting.values()})
        with open(f"{self.folder}/list", "w") as file:
            for number, p in self.waiting.items():
                file.write(f"{number} {os.path.basename(p.image)} {self.vcpus} {p.memory} {p.limit} "
                           f"{' '.join([*p.kernel_options, '--', p.name, *p.args])}\n")
        command = [BED, "run", "--clock", self.clock, "--script", f"{HERE}/dom0.sh", "--timeout",
                   str(BED_LIMIT_S), "--out", f"{self.folder}/bed", "--file", f"{self.folder}/list"]
        for image in images:
            command += ["--file", image]
        return command

    def run(self, heard):
        command = self.command()
        with open(f"{self.folder}.err", "w+", errors="replace") as errors:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=errors, text=True, errors="replace") as bed:
                for line in bed.stdout:
                    found = re.match(r"@end (\d+) (\S+) (\d+)", line)
                    if found:
                        self.ended[int(found.group(1))] = (found.group(2), int(found.group(3)) / 1000)
                        heard.progress()
            errors.seek(0)
            said = errors.read().strip().splitlines() or ["?"]
        for number, program in self.waiting.items():
            status, seconds = self.ended.get(number, (None, 0))
            text = self.console(number)
            if status is None:
                why = "the bed ended before it: " + said[-1]
            elif status == str(program.expect):
                why = ""
            elif status == "hung":
                why = f"not at its end after {program.limit} s"
            elif status.lstrip("-").isdigit():
                why = f"exit status {status}"
            else:
                why = {"panic": "the kernel panicked", "none": "ended without a word"}.get(status, status)
            heard.outcome(Outcome(program, self.vcpus, not why, why, text, seconds))

    def console(self, number):
        try:
            with open(f"{self.folder}/bed/consoles/t{number}.log", errors="replace") as file:
                return file.read().replace("\r", "")
        except FileNotFoundError:
            return ""


def batches(programs, vcpus, clock, folder):
    """The programs in as many batches as beds are wanted."""
    count = -(-len(programs) // PER_BED)
    return [Batch(programs[n::count], vcpus, clock, f"{folder}/{clock}-{vcpus}-{n}") for n in range(count)]
