#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turn the functions of a linked image into the table that backtraces read (lib/symbols.c).

usage: symbols.py APP [IMAGE.elf]    prints assembly; without an image the table is empty

The names would be a twentieth of a small image. So distances between functions are kept instead of
addresses, and the two letters that most often stand side by side become one byte from 128 on, again and
again: half as long, and a dozen lines to read.
"""
import collections
import os
import subprocess
import sys

NAME_MAX = 71
PAIR_FIRST, PAIR_LAST = 0x80, 0xff


def functions(image):
    """(offset from __text_start, name) of each function, ascending, one name per offset."""
    lines = subprocess.run([os.environ.get("NM", "nm"), image], check=True, capture_output=True, text=True).stdout
    symbols = [line.split() for line in lines.splitlines() if len(line.split()) == 3]
    start = next(int(value, 16) for value, _, name in symbols if name == "__text_start")
    by_offset = {}
    for value, kind, name in symbols:
        if kind in "tTW" and not name.startswith(("__text_", "__program_text_")):
            by_offset.setdefault(int(value, 16) - start, name[:NAME_MAX])
    return sorted((offset, name) for offset, name in by_offset.items() if offset >= 0)


def merge(word, pair, byte):
    """`word` with `byte` for each `pair`."""
    out, at = [], 0
    while at < len(word):
        if tuple(word[at:at + 2]) == pair:
            out.append(byte)
            at += 2
        else:
            out.append(word[at])
            at += 1
    return out


def pack(names):
    """(names as lists of bytes, the pair each byte from PAIR_FIRST on stands for)"""
    words, pairs = [list(name.encode("ascii")) for name in names], []
    counts = collections.Counter()
    where = collections.defaultdict(set)    # which words may have a pair
    for n, word in enumerate(words):
        for pair in zip(word, word[1:]):
            counts[pair] += 1
            where[pair].add(n)
    for byte in range(PAIR_FIRST, PAIR_LAST + 1):
        if not counts:
            break
        pair, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
        if count < 4:
            break
        pairs.append(pair)
        for n in list(where[pair]):
            counts.subtract(zip(words[n], words[n][1:]))
            words[n] = merge(words[n], pair, byte)
            for new in zip(words[n], words[n][1:]):
                counts[new] += 1
                where[new].add(n)
    return words, pairs


def distance(value):
    out = []
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return out + [value]


def main():
    app, table = sys.argv[1], functions(sys.argv[2]) if len(sys.argv) > 2 else []
    words, pairs = pack([name for _, name in table])
    print('.section .symbols, "a", %progbits')
    print(".globl app_name, symbol_count, symbol_pairs, symbol_table")
    print(f'app_name: .asciz "{app}"')
    print(f".balign 4\nsymbol_count: .long {len(table)}\nsymbol_pairs:")
    for pair in pairs:
        print(".byte " + ", ".join(map(str, pair)))
    print("symbol_table:")
    before = 0
    for (offset, _), word in zip(table, words):
        print(".byte " + ", ".join(map(str, distance(offset - before) + word + [0])))
        before = offset


main()
