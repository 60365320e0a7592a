#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The test bed: a real Xen and a Debian dom0 under QEMU, ready in a second from a snapshot.

  bed.py build   --xen 4.17 --clock multi         make the bed now (every other command does it too)
  bed.py run     --script FILE [--file F[:NAME]]  run a script in dom0, bring back the results
  bed.py console --kernel ELF                     create a PV domain, show its console until it ends
  bed.py shell   [--file F[:NAME]]                a shell in dom0
  bed.py debug   --kernel ELF [--break SYMBOL]    the same domain with gdb attached

Clocks: multi (two CPUs, for function tests), counted (one instruction is one nanosecond, for
measurements) and paced (counted, for clients outside). Nothing here needs root. See docs/TESTING.md.
"""
import argparse
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import debug                                # noqa: E402
import domain                               # noqa: E402
from image import ARCHS, SUITES, BedError   # noqa: E402
from machine import ARM_CPUS, CLOCKS        # noqa: E402
from session import Bed                     # noqa: E402

BEGIN = time.monotonic()


def say(text):
    print(f"bed: [{time.monotonic() - BEGIN:5.1f} s] {text}", file=sys.stderr, flush=True)


def files_of(options):
    """--file PATH[:NAME] as {name in /scenario: path}"""
    files = {}
    for item in options.file:
        path, _, name = item.partition(":")
        if not os.path.isfile(path):
            raise BedError(f"no such file: {path}")
        files[name or os.path.basename(path)] = path
    return files


def bed_of(options):
    return Bed(options.xen, options.clock, say, options.arch, options.gic, options.cpu)


def to_stdout(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def command_build(options):
    bed_of(options).build()
    return 0


def command_run(options):
    script = sys.stdin.read() if options.script == "-" else open(options.script).read()
    bed = bed_of(options)
    files = files_of(options)
    files.update((name, bed.tool(name)) for name in options.tool)
    if options.domu_linux:
        files["linux"], files["linux-initrd"] = bed.domu_linux()
    result = bed.run(script, files, options.timeout, options.out,
                     None if options.quiet else to_stdout, forward=options.forward)
    if result.exit:
        why = f"no end within {options.timeout:g} s" if result.timed_out else f"exit code {result.exit}"
        say(f"scenario: {why}")
        print(result.last_lines(), file=sys.stderr)
    return result.exit


def command_console(options):
    return domain.run_console(bed_of(options), options, to_stdout)


def command_debug(options):
    return debug.run_debug(bed_of(options), options, to_stdout, say)


def command_shell(options):
    return domain.run_shell(bed_of(options), files_of(options), to_stdout,
                            options.forward)


def which_bed(clock):
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--xen", default="4.17", choices=SUITES)
    parser.add_argument("--clock", default=clock, choices=CLOCKS)
    parser.add_argument("--arch", default="x86_64", choices=ARCHS)
    parser.add_argument("--gic", type=int, default=3, choices=(2, 3), help="version, on ARM")
    parser.add_argument("--cpu", help=f"QEMU's model of it, on ARM ({ARM_CPUS['arm64']}, {ARM_CPUS['arm32']})")
    return parser


def add_domain(parser):
    parser.add_argument("--kernel", metavar="ELF")
    parser.add_argument("--cfg", metavar="FILE", help="an xl configuration; --kernel replaces its kernel=")
    parser.add_argument("--memory", type=int, default=32, metavar="MIB")
    parser.add_argument("--vcpus", type=int, default=1, metavar="N")
    parser.add_argument("--extra", default="", metavar="ARGS", help="the domain's command line")


def main():
    common = which_bed("multi")
    with_files = argparse.ArgumentParser(add_help=False)
    with_files.add_argument("--file", action="append", default=[], metavar="PATH[:NAME]",
                            help="put it into /scenario")
    with_files.add_argument("--forward", action="append", default=[], metavar="RULE",
                            help="QEMU hostfwd, e.g. tcp:127.0.0.1:8080-10.0.2.30:80")
    parser = argparse.ArgumentParser(prog="bed.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", parents=[common]).set_defaults(run=command_build)
    run = commands.add_parser("run", parents=[common, with_files])
    run.add_argument("--script", required=True, help="busybox sh; - is stdin")
    run.add_argument("--timeout", type=float, default=60, metavar="SECONDS")
    run.add_argument("--out", metavar="DIR", help="results go here (what it held is removed)")
    run.add_argument("--tool", action="append", default=[], choices=("boottime",),
                     help="put it into /scenario")
    run.add_argument("--domu-linux", action="store_true",
                     help="put a Linux domU into /scenario: linux and linux-initrd")
    run.add_argument("--quiet", action="store_true", help="don't show the script's output")
    run.set_defaults(run=command_run)
    shell = commands.add_parser("shell", parents=[common, with_files])
    shell.set_defaults(run=command_shell)
    console = commands.add_parser("console", parents=[common, with_files])
    add_domain(console)
    console.add_argument("--timeout", type=float, metavar="SECONDS", help="none if not given")
    console.add_argument("--out", metavar="DIR", help="results go here (what it held is removed)")
    console.set_defaults(run=command_console)
    debugger = commands.add_parser("debug", parents=[which_bed("counted"), with_files])
    add_domain(debugger)
    debugger.set_defaults(run=command_debug)
    debugger.add_argument("--break", dest="breakpoint", action="append", metavar="SYMBOL",
                          help="stop there first (default: main)")
    debugger.add_argument("--ex", action="append", metavar="COMMAND",
                          help="gdb commands instead of a session; the first is usually continue")
    debugger.add_argument("--port", type=int, help="of gdb's stub (default: any free one)")
    debugger.add_argument("--no-gdb", action="store_true", help="wait for a gdb started elsewhere")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return options.run(options)
    except BedError as error:
        print(f"bed: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbed: ended from the keyboard", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
