#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The ARMv7 image runs wherever memory begins: at 0x40000000, where Xen has it from 4.5 on, at 0x80000000, where
it was before, and elsewhere: hello says what it says, in virtual addresses that are always the same.

usage: run.py IMAGE.zImage [PATTERN]        CC and QEMU from the environment

Xen knows one place, so tests/relocate/fake_xen.c stands in for it, on a machine of QEMU's with 2 GiB from
0x40000000 on. The last line is "N passed, N failed".
"""
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CC = os.environ.get("CC", "arm-linux-gnueabihf-gcc")
QEMU = os.environ.get("QEMU", "qemu-system-arm")
BASES = (0x40000000, 0x48200000, 0x80000000, 0xb0000000)
FAKE_XEN = 0x60000000
MEMORY_MIB = 32
LIMIT_S = 20


class Tree:
    """A device tree blob, version 17."""

    def __init__(self):
        self.structure, self.strings = b"", b""

    def begin(self, name):
        text = name.encode() + b"\0"
        self.structure += struct.pack(">I", 1) + text + b"\0" * (-len(text) % 4)

    def end(self):
        self.structure += struct.pack(">I", 2)

    def put(self, name, *cells, text=None):
        value = text.encode() + b"\0" if text is not None else struct.pack(f">{len(cells)}I", *cells)
        at = len(self.strings)
        self.strings += name.encode() + b"\0"
        self.structure += struct.pack(">III", 3, len(value), at) + value + b"\0" * (-len(value) % 4)

    def blob(self):
        structure = self.structure + struct.pack(">I", 9)
        reserved = bytes(16)
        at = 40 + len(reserved)
        header = struct.pack(">10I", 0xd00dfeed, at + len(structure) + len(self.strings), at, at + len(structure), 40,
                             17, 16, 0, len(self.strings), len(structure))
        return header + reserved + structure + self.strings


def device_tree(base):
    tree = Tree()
    tree.begin("")
    tree.put("#address-cells", 2)
    tree.put("#size-cells", 2)
    tree.begin("chosen")
    tree.put("bootargs", text="-loglevel=info moved")
    tree.end()
    tree.begin("cpus")
    tree.begin("cpu@0")
    tree.put("device_type", text="cpu")
    tree.end()
    tree.end()
    tree.begin("memory")
    tree.put("device_type", text="memory")
    tree.put("reg", 0, base, 0, MEMORY_MIB << 20)
    tree.end()
    tree.begin("interrupt-controller")
    tree.put("compatible", text="arm,cortex-a15-gic")
    tree.put("reg", 0, 0x08000000, 0, 0x1000, 0, 0x08010000, 0, 0x2000)
    tree.end()
    tree.begin("timer")
    tree.put("compatible", text="arm,armv7-timer")
    tree.put("interrupts", 1, 13, 8, 1, 14, 8, 1, 11, 8)
    tree.end()
    tree.begin("hypervisor")
    tree.put("compatible", text="xen,xen")
    tree.put("reg", 0, base + (65 << 20), 0, 8 << 20)
    tree.put("interrupts", 1, 15, 8)
    tree.end()
    tree.end()
    return tree.blob()


def run(image, base, folder):
    blob, fake = os.path.join(folder, "blob"), os.path.join(folder, "fake.elf")
    with open(blob, "wb") as file:
        file.write(device_tree(base))
    subprocess.run([CC, "-nostdlib", "-static", "-no-pie", "-fno-pie", "-ffreestanding", "-fno-builtin", "-O1", "-marm",
                    "-march=armv7ve+fp", "-mgeneral-regs-only", "-Wall", "-Wextra", "-Werror", f"-DBASE={base:#x}UL",
                    f'-DIMAGE="{os.path.abspath(image)}"', f'-DDEVICE_TREE_BLOB="{blob}"',
                    "-I", os.path.join(HERE, "../../build/xen-headers"), f"-Wl,-Ttext={FAKE_XEN:#x},--build-id=none",
                    "-o", fake, f"{HERE}/fake_xen_entry.S", f"{HERE}/fake_xen.c", f"{HERE}/memory.c"], check=True)
    # The fake has no interrupts to give, so the program cannot end; the machine is stopped when it has spoken.
    said = ""
    with subprocess.Popen(["timeout", str(LIMIT_S), QEMU, "-M", "virt,virtualization=on,gic-version=2", "-cpu",
                           "cortex-a15", "-m", "2048", "-display", "none", "-nodefaults", "-serial", "stdio",
                           "-device", f"loader,file={fake},cpu-num=0"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as machine:
        for line in machine.stdout:
            said += line
            if line.startswith(("argv[1]: moved", "fake xen:")):
                break
        machine.terminate()
    if "Hello" not in said or "argv[1]: moved" not in said:
        raise AssertionError(f"hello does not say what it says, but:\n{said}")


def main():
    image, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    passed = failed = 0

    for base in BASES:
        name = f"relocate/memory_at_{base:#x}"
        if pattern not in name:
            continue
        try:
            with tempfile.TemporaryDirectory() as folder:
                run(image, base, folder)
            passed += 1
            print(f"ok - {name}")
        except (AssertionError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"not ok - {name}: {error}")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
