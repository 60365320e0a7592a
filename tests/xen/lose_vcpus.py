#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An image whose secondary vCPUs get lost: they sleep where they should say that they have arrived.

usage: lose_vcpus.py IMAGE.elf LOST.elf

No Xen can be asked to start a vCPU and not to run it, so what is changed is the program: the first
bytes of kernel/smp.c's arrive(), in a copy.
"""
import struct
import subprocess
import sys

SLEEP = {
    62: bytes.fromhex("6a00 6a00 6a00"   # push $0; push $0; push $0: a struct sched_poll, no port, no end
                      "b81d000000"       # 1: mov $__HYPERVISOR_sched_op, %eax
                      "bf03000000"       # mov $SCHEDOP_poll, %edi
                      "4889e6"           # mov %rsp, %rsi
                      "0f05"             # syscall
                      "ebef"),           # jmp 1b
    183: bytes.fromhex("ff7fbea9ff7f01a9"    # stp xzr, xzr, [sp, #-32]!; stp xzr, xzr, [sp, #16]: the same
                       "b00380d2"            # 1: mov x16, #__HYPERVISOR_sched_op
                       "600080d2"            # mov x0, #SCHEDOP_poll
                       "e1030091"            # mov x1, sp
                       "22d401d4"            # hvc #0xea1
                       "fcffff17"),          # b 1b
    40: bytes.fromhex("0000a0e30010a0e3"         # mov r0, #0; mov r1, #0
                      "03002de903002de9"         # push {r0, r1}, three times
                      "03002de9"
                      "1dc0a0e3"                 # 1: mov r12, #__HYPERVISOR_sched_op
                      "0300a0e3"                 # mov r0, #SCHEDOP_poll
                      "0d10a0e1"                 # mov r1, sp
                      "71ea40e1"                 # hvc #0xea1
                      "faffffea"),               # b 1b
}                                        # by e_machine: x86-64, AArch64, ARM
PT_LOAD = 1


def file_offset(data, address):
    fields, segment = ((("<Q", 32), ("<H", 54), ("<H", 56)), "<I4xQQ8xQ") if data[4] == 2 else (
        (("<I", 28), ("<H", 42), ("<H", 44)), "<III4xI")                # by the file's class: 64 bits, 32 bits
    start, size, count = (struct.unpack_from(layout, data, at)[0] for layout, at in fields)
    for at in range(start, start + size * count, size):
        kind, offset, virtual, length = struct.unpack_from(segment, data, at)
        if kind == PT_LOAD and virtual <= address < virtual + length:
            return offset + address - virtual
    raise SystemExit(f"lose_vcpus: {address:#x} is in no segment")


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    image, lost = sys.argv[1:]
    names = subprocess.run(["nm", image], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = [line.split()[0] for line in names.splitlines() if line.endswith(" t arrive")]
    if len(found) != 1:
        raise SystemExit(f"lose_vcpus: {image} has {len(found)} functions arrive(), not one")
    with open(image, "rb") as file:
        data = bytearray(file.read())
    offset = file_offset(data, int(found[0], 16))
    sleep = SLEEP[struct.unpack_from("<H", data, 18)[0]]
    data[offset:offset + len(sleep)] = sleep
    with open(lost, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
