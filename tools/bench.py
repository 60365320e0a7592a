#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The benchmark table: Xenolith beside a Linux domU on the same bed, in instruction time.

  bench.py [--arch CPU] [--xen VERSION] [--only PART] [--compare OLD.json] [--docs] [--fresh]

Prints the table and writes build/bench.json (with --only PART build/bench-PART.json); docs/BENCHMARKS.md says how each figure is measured and
how well it repeats. --compare names rows that got more than 3 % worse than in an older bench.json,
--only measures the parts with that in their names (boots, operations, threads, network, network_web, network_smallest,
doors, parallel),
--docs puts what was measured into docs/BENCHMARKS.md, --fresh measures Linux anew (else only when its kernel,
the bed or its program changed). The exit status is 1 when a figure misses what it must reach, or is
worse than the older one.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools", "bed"), os.path.join(ROOT, "tools", "bench")]
import doors                                                                            # noqa: E402
import network                                                                          # noqa: E402
import smp                                                                              # noqa: E402
from image import BedError, fetch, write                                         # noqa: E402
from linux_domu import PATIENCE, WAIT_GONE, LinuxDomu, loadable_bytes, operations_of, read        # noqa: E402
from session import Bed                                                                 # noqa: E402

BUILD = os.path.join(ROOT, "build")
DOCS = os.path.join(ROOT, "docs", "BENCHMARKS.md")
BOOT_MIB = (8, 32, 128, 256, 1024, 4096)
BOOT_VCPUS, BOOT_VCPUS_MIB = (2, 4, 8), 32
# What xl starts there (in dom0 it has the same name on every CPU), and how large hello's may be: must, aim.
ARCHS = {"x86_64": (".elf", 192 << 10, 128 << 10), "arm64": (".Image", 208 << 10, None), "arm32": (".zImage", 160 << 10, None)}
PROGRAMS = ("hello.elf", "bench.elf", "bench-threads.elf", "bench-network.elf", "http.elf")
CDS = ("hello.iso", "bench.plain.iso")
# hello's first words, and the line that has the domain's name, read from xenstore.
FIRST_LINE, WORKING = "Hello", "domain:   "
TOO_SMALL_MIB, SMALL_MIB = 1, 16    # where the smallest domain is looked for
TURNS = 2       # of each boot; the best counts: a tick of Xen's may fall into any
MARGIN, RATIO_MARGIN = 1.03, 1.1
NETWORK_EXTRA = f"""'extra="-ip={network.ADDRESS}/24"'"""

BOOT = WAIT_GONE + """
boot() {    # NAME MARKER MIB [LINE...]
    local name=$1 marker=$2 mib=$3
    shift 3
    boot_time "$name" hello.elf "$marker" 20 "memory=$mib" "$@" && quiet_gone "$name" 10
}
"""
SMALLEST = WAIT_GONE + """
for mib in $(seq %d %d); do
    create "small$mib" hello.elf "memory=$mib" >/dev/null || continue
    quiet_gone "small$mib" 10
    console_text "small$mib" 2>/dev/null | grep -q 'exit(0)' && { echo "smallest $mib"; break; }
done
""" % (TOO_SMALL_MIB, SMALL_MIB)
OPERATIONS = WAIT_GONE + """
create bench bench.elf 'tsc_mode="native"' && quiet_gone bench 60
create trapped bench.elf 'tsc_mode="always_emulate"' 'extra="clock_read"' && quiet_gone trapped 20
"""
# apps/bench's names, what the table calls them, and how Linux does the same.
OPERATION_ROWS = [
    ("null_hypercall", "null hypercall", "ioctl of /dev/xen/privcmd"),
    ("null_syscall", "null system call (Linux's floor)", "getppid"),
    ("event_to_self", "event to self, handled", "/dev/xen/evtchn: notify, read, unmask"),
    ("thread_switch", "thread switch, by yield", "sched_yield"),
    ("thread_wake_switch", "thread switch, by wake-up", "sem_post, sem_wait"),
    ("thread_create_join", "thread create, run and join", "pthread_create, pthread_join"),
    ("mutex_lock_unlock", "mutex lock and unlock", "pthread_mutex"),
    ("timer_arm_cancel", "timer arm and cancel", "timerfd_settime, twice"),
    ("malloc_free_pair", "malloc and free, 100 bytes", "glibc"),
    ("kmem_alloc_free_pair", "kernel heap alloc and free, 100 bytes", None),
    ("page_alloc_free_pair", "page alloc and free", "mmap, touch, munmap"),
    ("first_page_write", "first write to a page", None),
    ("snprintf_int_string", "snprintf of %d %s", "glibc"),
    ("snprintf_float", "snprintf of %.6f", "glibc"),
    ("clock_read", "clock read", "clock_gettime"),
    ("clock_read_trapped", "clock read, TSC trapped by Xen", None),
    ("xenstore_read", "xenstore read", "/dev/xen/xenbus: write, read"),
    ("xenstore_read_elapsed", "xenstore read, dom0's part included", "the same"),
    ("grant_access_end", "grant and end", "/dev/xen/gntalloc: alloc, dealloc"),
]


def boot_mib(arch):
    """ARM's bed has no 4 GiB."""
    return BOOT_MIB if arch == "x86_64" else BOOT_MIB[:-1]


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def qemu_loaders(folder):
    """What starts HVM domains by kernel=: docs/XL.md."""
    fetch("bookworm", f"{folder}/qemu-data", ["qemu-system-data"])
    return {"multiboot_dma.bin": f"{folder}/qemu-data/usr/share/qemu/multiboot.bin"}


class Xenolith:
    """Our side. Copies of the images: nobody's build changes them under a run."""

    def __init__(self, arch, bed, parallel_bed, folder, dom0_files):
        """dom0_files: its programs for what the network is measured by."""
        self.arch = arch
        self.bed, self.parallel_bed, self.folder, self.dom0_files = bed, parallel_bed, folder, dom0_files
        self.images = PROGRAMS + (CDS if self.arch == "x86_64" else ())
        for name in self.images:
            shutil.copyfile(f"{BUILD}/{arch}/{name.replace('.elf', ARCHS[arch][0])}", f"{folder}/{name}")

    def parts(self):
        return [self.boots, self.operations, self.threads, self.network, self.network_web, self.network_smallest,
                *([self.doors, self.doors_tcp] if self.arch == "x86_64" else [])]

    def parallel_parts(self):
        """What must have the machine's CPUs to itself; ARMv7's domains go wrong there: docs/BENCHMARKS.md."""
        return [self.parallel] if self.arch != "arm32" else []

    def run(self, script, timeout, bed=None, more=None):
        files = {name: f"{self.folder}/{name}" for name in self.images}
        files["boottime"] = self.bed.tool("boottime")
        files.update(more or {})
        result = (bed or self.bed).run(script, files, timeout=timeout * PATIENCE)
        if result.exit:
            raise BedError(f"Xenolith: exit status {result.exit}\n{result.last_lines()}")
        return result

    def boots(self):
        wanted = {}     # figure: (marker, MiB, further lines of the configuration)
        for mib in boot_mib(self.arch):
            wanted[f"boot_first_line_{mib}"] = FIRST_LINE, mib, ""
            wanted[f"boot_working_{mib}"] = WORKING, mib, ""
        if self.arch == "x86_64":
            wanted["boot_working_native_32"] = WORKING, 32, """'tsc_mode="native"'"""
        for vcpus in BOOT_VCPUS:
            wanted[f"boot_vcpus_{vcpus}"] = FIRST_LINE, BOOT_VCPUS_MIB, f"vcpus={vcpus}"
        lines = [f'boot {name}.{turn} "{marker}" {mib} {more}' for turn in range(TURNS)
                 for name, (marker, mib, more) in wanted.items()]
        timings = self.run(BOOT + " && ".join(lines), 400).timings
        figures = {name: min(int(timings[f"boot_cpu_ns.{name}.{turn}"]) for turn in range(TURNS))
                   for name in wanted}
        for vcpus in BOOT_VCPUS:    # what each vCPU but the first costs
            more = figures[f"boot_vcpus_{vcpus}"] - figures[f"boot_first_line_{BOOT_VCPUS_MIB}"]
            figures[f"boot_vcpus_{vcpus}"] = more / (vcpus - 1)
        elf, file = read(f"{BUILD}/{self.arch}/hello.elf"), read(f"{self.folder}/hello.elf")
        figures["image_loadable"], figures["image_file"] = loadable_bytes(elf), len(file)
        return figures

    def operations(self):
        result = self.run(SMALLEST + OPERATIONS, 300)
        found = operations_of(result.consoles.get("bench", ""))
        trapped = operations_of(result.consoles.get("trapped", ""))
        smallest = re.search(r"^smallest (\d+)", result.output, re.M)
        if not smallest or "clock_read" not in trapped or "grant_access_end" not in found:
            raise BedError(f"Xenolith: figures are missing\n{result.last_lines()}")
        found["clock_read_trapped"] = trapped["clock_read"]
        return {"smallest_mib": int(smallest.group(1)), "operations": found}

    def doors(self):
        result = self.run(doors.SCRIPT, 900, more=qemu_loaders(self.folder))
        return doors.figures_of(result.timings, result.consoles, operations_of)

    def doors_tcp(self):
        more = {**self.dom0_files, **qemu_loaders(self.folder)}
        return doors.tcp_figures_of(self.run(doors.TCP_SCRIPT, 900, more=more).output)

    def threads(self):
        script = smp.counted_script("bench-threads.elf", """'tsc_mode="native"'""")
        return {"threads": operations_of(self.whole(self.run(script, 300), "threads"))}

    def run_network(self, script, timeout):
        return self.run(script, timeout, more=self.dom0_files).output

    def network(self):
        return network.exchange(self.run_network, f"bench-network.elf {NETWORK_EXTRA}")

    def network_web(self):
        return network.web(self.run_network, f"http.elf {NETWORK_EXTRA}")

    def network_smallest(self):
        return network.smallest_web(self.run_network, f"http.elf {NETWORK_EXTRA}", 1, TOO_SMALL_MIB, SMALL_MIB)

    def parallel(self):
        result = self.run(smp.parallel_script("bench-threads.elf", *(
            f"""'tsc_mode="native"' 'extra="{what}"'""" for what in ("scale", "crowd"))), 600,
            self.parallel_bed)
        self.whole(result, "crowd")
        return smp.ratios_of(result.consoles)

    @staticmethod
    def whole(result, name):
        """What the domain wrote, if that is all it had to write."""
        console = result.consoles.get(name, "")
        if "threads: done" not in console:
            raise BedError(f"Xenolith: {name} did not end\n{result.last_lines()}")
        return console


def measure(arch, bed, parallel_bed, folder, linux_folder, fresh, only):
    """(Xenolith's figures, Linux's figures)"""
    bed.tool("boottime")    # compiled once, before anybody runs at the same time
    linux = LinuxDomu(bed, parallel_bed, linux_folder)
    ours = Xenolith(arch, bed, parallel_bed, folder, linux.dom0_files)
    done, kept = {}, {} if fresh else linux.kept_figures()
    if kept:
        say("Linux's figures are those of an earlier run: nothing of it has changed")

    def todo(parts, finished):
        return [p for p in parts if only in p.__name__ and p.__name__ not in finished]

    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        # The longest first.
        running = {pool.submit(part): (figures, part.__name__)
                   for figures, parts in ((kept, linux.parts()), (done, ours.parts()))
                   for part in todo(parts, figures)}
        for future in concurrent.futures.as_completed(running):
            figures, name = running[future]
            figures[name] = future.result()
            linux.keep(kept)
            say(f"{len([f for f in running if f.done()])} of {len(running)} parts measured")
    for figures, side in ((done, ours), (kept, linux)):
        for part in todo(side.parallel_parts(), figures):
            say("measuring with two CPUs: the machine should have nothing else to do")
            figures[part.__name__] = part()
            linux.keep(kept)
    return tuple({key: figure for part in side.values() for key, figure in part.items()}
                 for side in (done, kept))


def rows_of(arch, ours, linux):
    """[{key, name, unit, xenolith, linux, must, aim, more}], also of what was not measured; less is better, or more
    where it says so."""
    rows = []

    def row(key, name, unit, must=None, aim=None, note=None, more=False):
        rows.append({"key": key, "name": name, "unit": unit, "xenolith": ours.get(key),
                     "linux": linux.get(key), "must": must, "aim": aim, "linux_by": note,
                     "more": more})

    for mib in BOOT_MIB:
        row(f"boot_first_line_{mib}", f"unpause to main's first line, {mib} MiB", "instructions",
            note="init's first line")
    for mib in BOOT_MIB:
        row(f"boot_working_{mib}", f"unpause to main, xenstore read and shown, {mib} MiB",
            "instructions", must=800_000, aim=300_000)
    row("boot_working_native_32", "the same, 32 MiB, TSC not trapped by Xen", "instructions")
    for vcpus in BOOT_VCPUS:
        row(f"boot_vcpus_{vcpus}", f"the same to the first line, each vCPU more, of {vcpus}",
            "instructions", must=60_000)
    row("smallest_mib", "smallest domain", "MiB", must=4, aim=4)
    _, must, aim = ARCHS[arch]
    row("image_loadable", "image: bytes loaded", "bytes", must=must, aim=aim, note="vmlinux")
    row("image_file", "image: file", "bytes", note="bzImage" if arch == "x86_64" else "vmlinuz")
    for side in (ours, linux):
        for key, (elapsed, own) in {**side.get("operations", {}), **side.get("threads", {})}.items():
            side[key] = own
            side[key + "_elapsed"] = elapsed
    for key, name, note in OPERATION_ROWS + smp.OPERATION_ROWS:
        if key == "clock_read_trapped" and arch != "x86_64":    # no TSC
            continue
        row(key, name, "instructions", aim=linux.get(key) if key in ours else None, note=note)
    for key, name, must in smp.SCALE_ROWS:
        row(key, name, "times one", must=must, more=True, note="glibc")
    for key, name in smp.CROWD_ROWS:
        row(key, name, "times 2 vCPUs' time", note="glibc",
            aim=None if key == smp.CROWD_CONTROL else linux.get(key))
    for key, name, unit, must, aim in doors.rows(ours):
        row(key, name, unit, must=must, aim=aim, more=unit == "Mbit/s",
            note="init's first line" if "first_line" in key else None)
    return rows + network.rows(ours, linux)


def number(value, unit="instructions"):
    return "–" if value is None else f"{value:.2f}" if unit.startswith("times") else f"{round(value):,}"


def cells(row):
    """One line of the table; + and ! say that the aim is missed, or even what must be reached."""
    sign, unit = -1 if row["more"] else 1, row["unit"]

    def missed(limit):
        return row["xenolith"] is not None and limit is not None and (
            sign * row["xenolith"] > sign * limit)

    mark = " !" if missed(row["must"]) else " +" if missed(row["aim"]) else ""
    name = row["name"] + ("" if unit == "instructions" else f" [{unit}]")
    aim = "below Linux" if row["must"] is None and row["aim"] is not None else number(row["aim"])
    return [name, number(row["xenolith"], unit) + mark, number(row["linux"], unit),
            number(row["must"], unit), aim,
            row["linux_by"] if row["linux_by"] and row["linux"] is not None else ""]


HEAD = ["", "Xenolith", "Linux domU", "must", "aim", "Linux by"]


def as_text(rows):
    lines = [HEAD] + [cells(row) for row in rows]
    width = [max(len(line[n]) for line in lines) for n in range(len(HEAD))]
    return "\n".join("  ".join(
        cell.ljust(width[n]) if n in (0, 5) else cell.rjust(width[n])
        for n, cell in enumerate(line)).rstrip() for line in lines)


MARKDOWN_HEAD = ["| " + " | ".join(HEAD) + " |", "|---|--:|--:|--:|--:|---|"]


def as_line(row):
    return "| " + " | ".join(cells(row)) + " |"


def compare(old, rows):
    """Print what changed by more than the margin; how many rows got worse."""
    before = {row["key"]: row["xenolith"] for row in old["rows"]}
    worse = 0
    for row in rows:
        was, now, unit = before.get(row["key"]), row["xenolith"], row["unit"]
        margin = RATIO_MARGIN if unit.startswith("times") else MARGIN
        if not was or not now or was / margin <= now <= was * margin:
            continue
        is_worse = (now < was) if row["more"] else (now > was)
        worse += is_worse
        print(f"{'WORSE' if is_worse else 'better'}: {row['name']}: {number(was, unit)} to "
              f"{number(now, unit)} ({(now / was - 1) * 100:+.1f} %)")
    print(f"compared with the older run: {worse} rows more than 3 % worse (ratios 10 %)")
    return worse


def named_lines(lines):
    """{name: line} of the table's lines; the name of some tells only with the line before what it is of."""
    named, before = {}, ""
    for line in lines:
        name = line.split(" | ", 1)[0].lstrip("| ")
        named[(before, name) if name.startswith("the same, by the clock") else name] = line
        before = name
    return named


def put_into_docs(rows, measured, of):
    """Replace the measured rows between the marks in docs/BENCHMARKS.md: the network has a table of its own."""
    with open(DOCS) as file:
        text = file.read()
    for mark, is_net in (("table", False), ("network", True)):
        begin, end = f"<!-- {mark}{of} -->\n", f"<!-- end of {mark}{of} -->"
        head, rest = text.split(begin, 1)
        old, tail = rest.split(end, 1)
        some = [row for row in rows if row["key"].startswith("net_") == is_net]
        named, was = named_lines(map(as_line, some)), named_lines(old.splitlines()[2:])
        table = [line if row in measured else was.get(name) for row, (name, line) in zip(some, named.items())]
        text = "".join((head, begin, "\n".join([*MARKDOWN_HEAD, *filter(None, table)]), "\n", end, tail))
    write(DOCS, text.encode())


def main():
    parser = argparse.ArgumentParser(description="Measure Xenolith beside a Linux domU.")
    parser.add_argument("--arch", default="x86_64", choices=ARCHS)
    parser.add_argument("--xen", default="4.17")
    parser.add_argument("--only", metavar="PART", default="", help="only parts with that in their name")
    parser.add_argument("--compare", metavar="OLD.json")
    parser.add_argument("--docs", action="store_true", help="put what was measured into docs/BENCHMARKS.md")
    parser.add_argument("--fresh", action="store_true", help="measure Linux anew")
    options = parser.parse_args()
    old = json.loads(read(options.compare)) if options.compare else None    # before it is replaced
    mark = "" if options.arch == "x86_64" else "-" + options.arch
    # Xen for arm64 runs ARMv7's domains too, and beside both stands Debian's ARMv8 Linux, measured once.
    machine, linux_mark = ("x86_64", "") if options.arch == "x86_64" else ("arm64", "-arm64")
    folder, linux_folder = f"{BUILD}/bench{mark}", f"{BUILD}/bench{linux_mark}"
    for each in folder, linux_folder:
        os.makedirs(each, exist_ok=True)
    begin = time.monotonic()
    bed = Bed(options.xen, "counted", say, machine)
    bed.build()
    parallel_bed = Bed(options.xen, "multi", say, machine)
    if options.only in "parallel":
        parallel_bed.build()
    all_rows = rows_of(options.arch, *measure(options.arch, bed, parallel_bed, folder, linux_folder, options.fresh,
                                              options.only))
    rows = [row for row in all_rows if row["xenolith"] is not None or (row["linux"] and not options.only)]
    out = f"{BUILD}/bench{mark}{'-' + options.only if options.only else ''}.json"
    write(out, json.dumps({"xen": options.xen, "packages": bed.snapshot.image.read_stamp()["packages"],
                           "rows": rows}, indent=1).encode())
    print(as_text(rows))
    missed = sum(cells(row)[1].endswith("!") for row in rows)
    print(f"instructions are the domain's own, Xen's on its behalf included; Xen {options.xen}; "
          f"+ misses the aim, ! misses what must be reached: {missed} rows")
    say(f"{time.monotonic() - begin:.0f} s; {os.path.relpath(out)}")
    worse = compare(old, rows) if old else 0
    if options.docs:
        put_into_docs(all_rows, rows, mark)
    return 1 if missed or worse else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BedError, OSError) as error:
        say(error)
        sys.exit(2)
