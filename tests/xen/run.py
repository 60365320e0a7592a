#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the scenarios of this folder on the real Xen of the test bed.

  run.py [--arch CPU] [--short] [--xen VERSION] [--only PATTERN] [--soak] [--list] [--jobs N]

A scenario is one file here, NAME.sh: functions test_* in busybox sh, run one after the other in the
dom0 of one restored bed with the helpers of dom0/check.sh and tools/bed/dom0/lib.sh; on ARM, where
none can be restored, those of several in one. Comments at its top say what it wants; nothing else is
edited to add one:

  # needs: hello crash hello.cfg        programs (apps/NAME or tests/xen/apps/NAME) and their files;
                                        hello.cfg: the configuration that is made with it
                                        hello.iso, crash.null.iso, hello.mb2.iso: a CD with it for HVM, with
                                        arguments, by multiboot2
                                        xen-shim: the Xen for PV domains inside of PVH ones
                                        multiboot_dma.bin: the loader for HVM domains by kernel=
  # dom0: spray                         programs of tests/xen/dom0/NAME.c, or of the folder tests/NAME, that it runs in dom0
  # limit: 30                           seconds that each test may take
  # arch: x86_64 arm64                  CPUs it runs on; x86_64 when not given
  # xen: 4.17 4.20                      the versions it runs on, on x86
  # gic: 2 3                            interrupt controllers, on ARM; both when not given
  # cpu: cortex-a76                     the bed's CPU, on ARM, by QEMU's name
  # not_arm: memory_4096                tests that are left out there; also not_x86, not_arm64, not_arm32, not_gic2,
                                        not_xen32 (a 32-bit Xen, where ARMv7's domains run as well), ...
  # short: hello_shipped_cfg memory_32  tests that --short (`make test`) runs on ARM, with GICv3; also short_arm32;
                                        short_gic2: with GICv2; short_xen32: on a 32-bit Xen
  # each_xen: selftest                  tests that --short runs on each version of `# xen:`; on x86 it runs all the
                                        others once, on 4.17 and 4.20 by turns, but not those of
  # not_short: ping_2_vcpus             (what is tested with 1 and 4 vCPUs)
  # clock: multi                        the bed's clock; counted when not given
  # soak: yes                           takes long: run by --soak only
  # again: pvh hvm rtl                  by --soak, the same once more with these guests (dom0/check.sh: boot)

What a bed left behind is in build/test-xen/VERSION-SCENARIO/ (build/test-xen.2 while another run uses
that). The last line is "N passed, N failed".
"""
import argparse
import concurrent.futures
import fcntl
import glob
import itertools
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/bed"))
from image import SUITES                                                # noqa: E402
from scenario import BED, HERE, LOADER, OPTIONAL, ROOT, Group, Report, Scenario, file_of, images_of

BUILT = f"build/{'debug-' if os.environ.get('DEBUG') else ''}"      # make DEBUG=1 test-xen
# CPU: (the kind of image that xl starts there, the guest whose configuration is meant)
ARCHS = {"x86_64": ("elf", "pv"), "arm64": ("Image", "pvh"), "arm32": ("zImage", "pvh")}
# Xen's CPU: a compiler for dom0's programs
COMPILERS = {"x86_64": "gcc", "arm64": "aarch64-linux-gnu-gcc", "arm32": "arm-linux-gnueabihf-gcc"}
VERSIONS = ("4.17", "4.20", "4.14")
TESTS_TOGETHER = 20     # on one bed, where each run boots it: within BED_LIMIT_S of a busy machine


def own_folder():
    """build/test-xen, or a second one while another run is using it; and the lock that says so."""
    number = 1
    while True:
        out = os.path.join(ROOT, "build/test-xen" + (f".{number}" if number > 1 else ""))
        os.makedirs(out, exist_ok=True)
        lock = open(f"{out}/lock", "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return out, lock
        except BlockingIOError:
            lock.close()
            number += 1


def build_images(arch, needs, hosts, folder):
    """Copies into `folder`, so that a build during the tests changes nothing. Yields what
    could not be made, with why. Programs that are only for tests are built like a user's own."""
    os.makedirs(folder, exist_ok=True)
    kind, guest = ARCHS[arch]
    for need in sorted(needs):
        app = need.split(".")[0]
        if need == "xen-shim":
            yield from fetch_shims(folder)
            continue
        if need == LOADER:
            yield from fetch_loader(folder)
            continue
        if need.endswith(".dom0"):
            for host in sorted(hosts):
                made = build_dom0(COMPILERS[host], app, f"{folder}/{need}.{host}")
                if made.returncode:
                    yield need, made.stdout.splitlines()
            continue
        iso = need.endswith(".iso") and ".modules." not in need     # what is on those, the Makefile knows
        own = f"tests/xen/apps/{app}"
        # libc-test's folder is the Makefile's to know.
        where = next((path for path in (own, f"apps/{app}") if os.path.isdir(os.path.join(ROOT, path))), "hello")
        image = f"{app}.elf" if iso else re.sub(r"\.elf$", f".{kind}", file_of(need))
        image = f"{BUILT}{arch}/" + re.sub(r"\.cfg$", f".{guest}.cfg", image)
        made = subprocess.run(["make", "-s", "--no-print-directory", f"ARCH={arch}", f"APP={where}", image], cwd=ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if made.returncode == 0 and iso:
            made = build_iso(need, image, f"{folder}/{need}")
        if made.returncode:
            yield need, made.stdout.splitlines()
        elif not iso:
            shutil.copy(os.path.join(ROOT, image), f"{folder}/{file_of(need)}")


def build_dom0(compiler, name, program):
    """A program of ours for dom0, with its C library, as dom0's may be an older one."""
    own = f"{HERE}/dom0/{name}.c"
    sources = [own] if os.path.exists(own) else [*sorted(glob.glob(f"{ROOT}/tests/{name}/*.c")), "-fno-builtin", "-lm"]
    command = [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", program, *sources]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def fetch_shims(folder):
    """The Xen that a PV domain inside of a PVH one runs on, of each version's packages."""
    for xen in ("4.17", "4.20"):
        into = os.path.join(ROOT, "build/xen-shim", xen)
        got = subprocess.run(["tools/fetch.py", "deb", "--suite", SUITES[xen], "--into", into, f"xen-utils-{xen}"],
                             cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        shim = f"{into}/usr/lib/xen-{xen}/boot/xen-shim"
        if got.returncode or not os.path.exists(shim):
            yield "xen-shim", got.stdout.splitlines()
            return
        shutil.copy(shim, f"{folder}/xen-shim-{xen}")   # as it is: strip takes its .bss away


def fetch_loader(folder):
    """QEMU's own, by the name under which it looks for it."""
    into = os.path.join(ROOT, "build/qemu-data")
    got = subprocess.run(["tools/fetch.py", "deb", "--suite", "bookworm", "--into", into, "qemu-system-data"],
                         cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if got.returncode:
        yield LOADER, got.stdout.splitlines()
    else:
        shutil.copy(f"{into}/usr/share/qemu/multiboot.bin", f"{folder}/{LOADER}")


def build_iso(need, image, iso):
    """PROGRAM.ARGUMENT....iso, among the arguments mb2: by multiboot2; rtl: with the emulated card."""
    words = need.split(".")[1:-1]
    options = {"mb2": "", "rtl": "-net=rtl8139"}
    arguments = " ".join(["-uart=io:0x3f8", *(options.get(word, word) for word in words)])
    return subprocess.run(["tools/iso.sh", image, iso, arguments], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False,
                          env={**os.environ, "MULTIBOOT": "2" if "mb2" in words else "1"})


def build_bed(where):
    """None, or why there is no such bed."""
    made = subprocess.run([BED, "build", *where.options()], stderr=subprocess.PIPE, text=True, check=False)
    return None if made.returncode == 0 else made.stderr.splitlines()


def choose(options):
    groups, together = [], {}
    for path in sorted(glob.glob(f"{HERE}/*.sh")):
        scenario = Scenario(path)
        guests = scenario.again if options.soak and options.arch == "x86_64" else []    # ARM has one kind
        guests = guests + [""] if scenario.soak == options.soak else guests
        for where, guest in itertools.product(scenario.places(options.arch), guests):
            if options.xen and where.xen != options.xen:
                continue
            tests = [t for t in scenario.tests_on(where, options.short) if re.search(
                options.only, f"{where.name()} xen-{where.xen}: {scenario.name} {guest and guest + ' '}{t[len('test_'):]}")]
            if scenario.soak:   # a bed for each test, so that some may run side by side
                groups += [Group(where, [(scenario, [test])], guest) for test in tests]
            elif where.arch == "x86_64":
                groups += [Group(where, [(scenario, tests)], guest)] if tests else []
            elif tests:
                beds = together.setdefault(where, [[]])
                if beds[-1] and sum(len(t) for _, t in beds[-1]) + len(tests) > TESTS_TOGETHER:
                    beds.append([])
                beds[-1].append((scenario, tests))
    groups += [Group(where, parts) for where, beds in together.items() for parts in beds]
    return sorted(groups, key=lambda g: -g.limit())     # the long ones first


def can_run(group, no_bed, broken, report):
    """Else each of its tests gets its line. no_bed: None, or why there is no such bed; broken: what does not
    build, with why."""
    missing = [need for need in group.needs() if need in broken]
    for test in group.waiting if missing or no_bed else ():
        if missing:
            report.add(group.label(test), "failed", f"{missing[0]} does not build", lines=broken[missing[0]])
            broken.update(dict.fromkeys(broken, ["see above"]))     # mostly the same cause
        elif group.where.xen in OPTIONAL:
            report.add(group.label(test), "skipped", f"no bed: {no_bed[-1]}")
        else:
            report.add(group.label(test), "failed", "no bed", lines=no_bed)
    return not missing and not no_bed


def run_with(jobs, groups, broken, report):
    """So many at a time; those of a bed as soon as it is there."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        builds = {pool.submit(build_bed, where): where for where in dict.fromkeys(g.where for g in groups)}
        runs = []
        for build in concurrent.futures.as_completed(builds):
            runs += [pool.submit(group.run, report) for group in groups
                     if group.where == builds[build] and can_run(group, build.result(), broken, report)]
        for run in runs:
            run.result()


def run_all(groups, out, jobs):
    report = Report(sum(len(g.waiting) for g in groups))
    arch = groups[0].where.arch
    broken = dict(build_images(arch, {need for g in groups for need in g.needs()}, {g.where.host for g in groups},
                               images_of(arch, out)))
    for group in groups:
        shutil.rmtree(group.out, ignore_errors=True)
    # A bed whose CPUs run at the same time wants two; one after the other they are quicker, too.
    multi = [group for group in groups if group.where.clock == "multi"]
    run_with(max(1, jobs // 2), multi, broken, report)
    run_with(jobs, [group for group in groups if group not in multi], broken, report)
    print(report.last_line())
    return 0 if report.counts["failed"] == 0 and report.counts["passed"] else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=ARCHS, default="x86_64", help="the domains' CPU")
    parser.add_argument("--xen", choices=VERSIONS, help="only this version")
    parser.add_argument("--only", default="", metavar="PATTERN",
                        help='a regular expression, searched in "BED xen-VERSION: SCENARIO GUEST TEST"')
    parser.add_argument("--short", action="store_true", help="each test once, on ARM what a scenario says is short")
    parser.add_argument("--soak", action="store_true", help="those that take long, and no others")
    parser.add_argument("--list", action="store_true", help="say what would run")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="beds at a time")
    options = parser.parse_args()
    groups = choose(options)
    if options.list:
        for group in groups:
            for test in group.waiting:
                print(group.label(test))
        return 0
    if not groups:
        print(f"no test is called like {options.only}\n0 passed, 0 failed")
        return 1
    out, lock = own_folder()
    with lock:
        for group in groups:
            group.keep_in(out)
        return run_all(groups, out, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
