# SPDX-License-Identifier: MIT
"""One domain in the bed with its console on this terminal: what `make run` shows.

The domain is made by xl from a configuration file, its console's log is streamed as it grows, and
what is typed here is typed there. Not for tests: they use session.py and look at the results.
"""
import contextlib
import os
import re
import socket
import sys
import termios

from image import BedError, read

CRASHED = 1


def generated_cfg(options, name):
    """The text of an xl configuration for --kernel and its options."""
    lines = [f'name = "{name}"', 'type = "pv"', f'kernel = "/scenario/{name}.elf"',
             f"memory = {options.memory}", f"vcpus = {options.vcpus}"]
    if options.extra:
        lines.append("extra = " + quoted(options.extra))
    lines += ['on_poweroff = "destroy"', 'on_crash = "destroy"']
    return "\n".join(lines) + "\n"


def quoted(text):
    """A string of xl's configuration syntax, which has no escapes: one kind of quote must be free."""
    for quote in '"', "'":
        if quote not in text:
            return quote + text + quote
    raise BedError(f"xl's configuration cannot hold both kinds of quotes: {text}")


def given_cfg(path, kernel):
    """(text, name) of an xl configuration whose kernel and ramdisk are where dom0 has them."""
    text = read(path).decode()
    name = re.search(r"^\s*name\s*=\s*[\"']([^\"']+)[\"']", text, re.M)
    if not name:
        raise BedError(f"{path} has no name=")
    if kernel.endswith(".iso"):
        return text.replace(kernel, f"/scenario/{name.group(1)}.iso"), name.group(1)
    text = re.sub(r"^\s*kernel\s*=.*$", "", text, flags=re.M)
    return f'{text}\nkernel = "/scenario/{name.group(1)}.elf"\n', name.group(1)


def kernel_of_cfg(path):
    """The kernel= of a configuration, relative to the configuration's folder."""
    disk = re.search(r"^disk\s*=.*file:([^,]+\.iso),", read(path).decode(), re.M)
    found = disk or re.search(r"^\s*kernel\s*=\s*[\"']([^\"']+)[\"']", read(path).decode(), re.M)
    if not found:
        raise BedError(f"{path} has no kernel=: say which with --kernel")
    for candidate in (found.group(1), os.path.join(os.path.dirname(path), found.group(1)),
                      os.path.join(os.path.dirname(path), os.path.basename(found.group(1)))):
        if os.path.isfile(candidate):
            return candidate
    raise BedError(f"{path}: no such kernel: {found.group(1)}")


def prepare(options):
    """(name, files for /scenario) from --kernel or --cfg."""
    if options.cfg:
        options.kernel = options.kernel or kernel_of_cfg(options.cfg)
        cfg, name = given_cfg(options.cfg, options.kernel)
    elif options.kernel:
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", os.path.splitext(os.path.basename(options.kernel))[0])
        cfg = generated_cfg(options, name)
    else:
        raise BedError("which domain? Give --kernel ELF or --cfg FILE")
    if not os.path.isfile(options.kernel):
        raise BedError(f"no such kernel: {options.kernel}")
    kind = ".iso" if options.kernel.endswith(".iso") else ".elf"
    return name, {f"{name}.cfg": cfg.encode(), name + kind: options.kernel}


@contextlib.contextmanager
def keys_go_out(stdin, all_of_them=False):
    """Pass each key on as it is typed, without echo (the other side echoes); Ctrl-C stays ours
    unless all keys are wanted."""
    if not os.isatty(stdin):
        yield
        return
    saved = termios.tcgetattr(stdin)
    mode = termios.tcgetattr(stdin)
    mode[3] &= ~(termios.ICANON | termios.ECHO)
    if all_of_them:
        mode[3] &= ~(termios.ISIG | termios.IEXTEN)
        mode[0] &= ~(termios.ICRNL | termios.IXON)
        mode[1] &= ~termios.OPOST       # dom0's terminal has done it
    termios.tcsetattr(stdin, termios.TCSANOW, mode)
    try:
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSANOW, saved)


SHELL = """
cat <<END

This is dom0 of Xen {xen}. Files in /scenario: {names}
e.g.  create hello hello.elf 'extra="one two"'; xl console hello    (Ctrl-] leaves that console)
exit ends the bed, and so does Ctrl-\\ at any time.
END
export ENV=/scenario/.bed/lib.sh PS1='dom0:\w# '
exec sh -i
"""


def run_shell(bed, files, to_stdout, forward):
    """dom0's console on this terminal, with a shell on it."""
    bed.build()
    stdin = sys.stdin.fileno()
    script = SHELL.format(xen=bed.snapshot.image.xen_version, names=" ".join(files) or "none")
    with keys_go_out(stdin, all_of_them=True):
        bed.run(script, files, float("inf"), on_output=to_stdout, stdin=stdin, forward=forward,
                shell=True)
    return 0


def announce(rule):
    """Say where a forwarded port is, unless somebody else has it."""
    where = re.fullmatch(r"tcp:([\d.]+):(\d+)-[\d.]*:(\d+)", rule)
    if not where:
        return
    address, port, inner = where.groups()
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, int(port)))
        except (OSError, OverflowError) as error:
            raise BedError(f"port {port} of {address} cannot be had ({error}): choose another, "
                           f"as in: make run PORT={int(port) + 1}") from error
    web = f"http://{address}:{port}/" if inner == "80" else f"{address}:{port}"
    print(f"bed: {web} is port {inner} of the domain; Ctrl-C ends it", flush=True)


def run_console(bed, options, to_stdout):
    """Create the domain and stay with it until it is gone. The command's exit status."""
    name, files = prepare(options)
    bed.build()
    for rule in options.forward:
        announce(rule)
    stdin = sys.stdin.fileno()
    script = f'console_session {name} /scenario/{name}.cfg'
    try:
        with keys_go_out(stdin):
            result = bed.run(script, files, options.timeout or float("inf"), options.out, to_stdout,
                             stdin=stdin, forward=options.forward)
    except KeyboardInterrupt:
        print(f"\nbed: domain {name} ended from the keyboard", flush=True)
        return 0
    if result.timed_out:
        print(f"\nbed: domain {name} was still there after {options.timeout:g} s")
        return result.exit
    reason = result.files.get("reason", b"").decode().strip()
    if not reason:
        print(f"bed: xl could not create domain {name} (exit status {result.exit})")
        print_dmesg(result)
        return CRASHED
    print(f"xl: domain {name}: {reason}", flush=True)
    if reason == "crash":
        print_dmesg(result)
    return 0 if reason == "poweroff" else CRASHED


def print_dmesg(result):
    lines = [line for line in result.xl_dmesg.splitlines() if line.strip()]
    if lines:
        print("\n".join(["xl dmesg:", *lines[:40]]))
