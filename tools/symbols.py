#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turn the functions of a linked image into the table that backtraces read (lib/symbols.c).

usage: symbols.py APP [IMAGE.elf]    prints assembly; without an image the table is empty
"""
import subprocess
import sys


def functions(image):
    """(offset from __text_start, name) of each function, ascending, one name per offset."""
    lines = subprocess.run(["nm", image], check=True, capture_output=True, text=True).stdout
    symbols = [line.split() for line in lines.splitlines() if len(line.split()) == 3]
    start = next(int(value, 16) for value, _, name in symbols if name == "__text_start")
    by_offset = {}
    for value, kind, name in symbols:
        if kind in "tTW" and not name.startswith("__text_"):
            by_offset.setdefault(int(value, 16) - start, name)
    return sorted((offset, name) for offset, name in by_offset.items() if offset >= 0)


def main():
    app, table = sys.argv[1], functions(sys.argv[2]) if len(sys.argv) > 2 else []
    print('.section .symbols, "a", @progbits')
    print(".globl app_name, symbol_count, symbol_offsets, symbol_names")
    print(f'app_name: .asciz "{app}"')
    print(f".balign 4\nsymbol_count: .long {len(table)}\nsymbol_offsets:")
    for offset, _ in table:
        print(f".long {offset}")
    print("symbol_names:")
    for _, name in table:
        print(f'.asciz "{name}"')


main()
