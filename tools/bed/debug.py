# SPDX-License-Identifier: MIT
"""A domain in the bed with gdb attached, by QEMU's stub.

The domain is created paused, gdb attaches to the whole machine (Xen, dom0 and the domain: what is
stopped is a CPU, whoever runs on it) and sets its breakpoints, then dom0 lets the domain go. QEMU
compares addresses, not address spaces: a breakpoint may be set before the domain's memory is
mapped, and dom0 and Xen have nothing at a guest kernel's addresses (dom0's programs start at 4 MiB).
At a breakpoint the page tables in use are the domain's, so its memory and stack can be read.
"""
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import domain
from image import BedError
from link import payload

SCRIPT = """
xl create -p /scenario/{name}.cfg >/run/create 2>&1 || {{ say_create /run/create; exit 1; }}
echo created
read -r go
xl unpause {name}
console_follow {name}
report {name}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def gdb_command(options, port):
    """gdb with the domain's symbols, stopped at its first breakpoint after `continue`."""
    gdb = shutil.which("gdb")
    if not gdb and not options.no_gdb:
        raise BedError("gdb is missing: install it, or use --no-gdb and another machine's")
    steps = ["set pagination off", "set confirm off", f"target remote 127.0.0.1:{port}"]
    steps += [f"hbreak {symbol}" for symbol in options.breakpoint or ["main"]]
    steps += options.ex or ["continue"]
    command = [gdb or "gdb", "-q", options.kernel]
    for step in steps:
        command += ["-ex", step]
    return command + (["-batch"] if options.ex else [])


def run_debug(bed, options, to_stdout, say):
    """Start everything, wait for gdb's end (or the domain's, without gdb). The exit status."""
    name, files = domain.prepare(options)
    port = options.port or free_port()
    command = gdb_command(options, port)
    bed.build()
    seen = bytearray()

    def output(data):
        if b"created\n" in seen:
            to_stdout(data)
        seen.extend(data)

    with tempfile.TemporaryFile() as serial:
        link = bed.start(("talk", 80, 25), payload(SCRIPT.format(name=name), files),
                         serial.fileno(), output, None, options.forward)
        try:
            while b"created\n" not in seen and not link.done():
                link.pump(1)
            if link.done():
                raise BedError("xl could not create the domain:\n" + seen.decode(errors="replace"))
            link.machine.monitor.call("stop")
            link.machine.monitor.call("human-monitor-command", **{
                "command-line": f"gdbserver tcp:127.0.0.1:{port}"})
            link.to_talk += b"go\n"
            link.pump(0)
            say(f"domain {name} waits; gdb's port is 127.0.0.1:{port}")
            return with_gdb(link, command, options.no_gdb)
        finally:
            link.machine.close()


def with_gdb(link, command, no_gdb):
    if no_gdb:
        print("attach with: " + " ".join(command[:3] + [f"-ex '{c}'" for c in command[4::2]]),
              file=sys.stderr)
        while not link.done():
            link.pump(1)
        return 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)        # Ctrl-C is gdb's
    with subprocess.Popen(command, preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL)) as gdb:
        while gdb.poll() is None and not link.done():
            link.pump(0.1)
        link.machine.close()        # gdb reports a closed connection, if it is still there
    return 0 if link.done() else gdb.returncode
