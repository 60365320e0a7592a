#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Read a linked image back: is it what Xen's domain builder and our own page tables rely on?
What is checked depends on the CPU that it is for.

usage: check_image.py [--only PATTERN] IMAGE.elf KERNEL.o...

The last line is "N passed, N failed".  The file is read here, byte by byte; only the disassembly of the
kernel's objects is objdump's.  Follows Xen public/elfnote.h and the ELF specification.
"""
import argparse
import re
import struct
import subprocess
import sys

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
PF_X, PF_W, PF_R = 1, 2, 4
SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_REL = 2, 4, 8, 9
SHF_WRITE, SHF_ALLOC, SHF_EXEC = 1, 2, 4
STT_SECTION, STT_FILE = 3, 4

PAGE = 4096
PADDR = 1 << 20       # where the image lies physically, unless Xen says
LARGE_PAGE = 2 << 20
LOADABLE_MAX = 192 << 10
X86_64, AARCH64, ARM = 62, 183, 40
IMAGE_MAX = {AARCH64: 208 << 10, ARM: 160 << 10}    # of ARMv8's Image, of ARMv7's zImage
NOTE = {"ENTRY": 1, "HYPERCALL_PAGE": 2, "VIRT_BASE": 3, "PADDR_OFFSET": 4, "XEN_VERSION": 5,
        "LOADER": 8, "PHYS32_ENTRY": 18}


class Record:
    """The fields of one fixed-size structure, by name."""

    def __init__(self, names, layout, data, offset):
        self.__dict__.update(zip(names.split(), struct.unpack_from(layout, data, offset)))


# The structures of ELF files, by their class: 32 bits and 64 bits.
HEADER = "magic bits order type machine entry phoff shoff phnum shnum shstrndx"
SECTION = "name type flags addr offset size link info align entsize"
CLASSES = {
    1: ((HEADER, "<4sBB10xHH4xIII4x2x2xH2xHH"), ("type offset vaddr paddr filesz memsz flags align", "<8I"),
        (SECTION, "<10I"), ("name value size info other shndx", "<IIIBBH")),
    2: ((HEADER, "<4sBB10xHH4xQQQ4x2x2xH2xHH"), ("type flags offset vaddr paddr filesz memsz align", "<IIQQQQQQ"),
        (SECTION, "<IIQQQQIIQQ"), ("name info other shndx value size", "<IBBHQQ")),
}


class Image:
    """An ELF file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        header, segment, section, self.symbol = CLASSES[self.data[4]]
        self.header = Record(*header, self.data, 0)
        self.segments = self.table(segment, self.header.phoff, self.header.phnum)
        self.sections = self.table(section, self.header.shoff, self.header.shnum)
        names = self.sections[self.header.shstrndx]
        for section in self.sections:
            section.name = self.string(names.offset + section.name)
        self.loads = [s for s in self.segments if s.type == PT_LOAD]
        self.symbols = list(self.read_symbols())
        self.address = {s.name: s.value for s in self.symbols if s.shndx}

    def table(self, structure, offset, count):
        return [Record(*structure, self.data, offset + struct.calcsize(structure[1]) * n) for n in range(count)]

    def string(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def read_symbols(self):
        for table in self.sections:
            if table.type != SHT_SYMTAB:
                continue
            names = self.sections[table.link].offset
            for symbol in self.table(self.symbol, table.offset, table.size // table.entsize)[1:]:
                symbol.name = self.string(names + symbol.name)
                yield symbol

    def offset_of(self, address):
        """Where the byte that will lie at `address` is in the file."""
        for load in self.loads:
            if load.vaddr <= address < load.vaddr + load.filesz:
                return address - load.vaddr + load.offset
        raise ValueError(f"nothing in the file for 0x{address:x}")

    def notes(self):
        """(name, type, descriptor) of each note of each PT_NOTE."""
        for segment in self.segments:
            at, end = segment.offset, segment.offset + segment.filesz
            while segment.type == PT_NOTE and at < end:
                namesz, descsz, kind = struct.unpack_from("<III", self.data, at)
                desc = at + 12 + (namesz + 3) // 4 * 4
                yield self.data[at + 12:at + 12 + namesz], kind, self.data[desc:desc + descsz]
                at = desc + (descsz + 3) // 4 * 4


def expect(condition, why):
    if not condition:
        raise AssertionError(why)


def xen_note(image, name):
    found = [desc for owner, kind, desc in image.notes() if owner == b"Xen\0" and kind == NOTE[name]]
    expect(len(found) == 1, f"{len(found)} notes XEN_ELFNOTE_{name}, not 1")
    return found[0]


def xen_number(image, name):
    desc = xen_note(image, name)
    expect(len(desc) == 8, f"XEN_ELFNOTE_{name} has {len(desc)} bytes, not 8")
    return struct.unpack("<Q", desc)[0]


def elf_header(image):
    header = image.header
    expect((header.magic, header.bits, header.order) == (b"\x7fELF", 1 if header.machine == ARM else 2, 1),
           "not a little-endian ELF file of the CPU's width")
    expect(header.type == 2 and header.machine in CHECKS, f"not an executable: {header.type}, {header.machine}")


def notes_in_first_load(image):
    notes = [s for s in image.segments if s.type == PT_NOTE]
    first = image.loads[0]
    expect(notes, "no PT_NOTE")
    for note in notes:
        expect(first.offset <= note.offset and
               note.offset + note.filesz <= first.offset + first.filesz,
               "a PT_NOTE lies outside the first PT_LOAD")
        expect(note.vaddr - first.vaddr == note.offset - first.offset, "its address is not its place")
    for owner, kind, _ in image.notes():
        expect(owner == b"Xen\0", f"a note of type {kind} belongs to {owner!r}")


def notes_version_and_loader(image):
    expect(xen_note(image, "XEN_VERSION") == b"xen-3.0\0", "XEN_VERSION is not xen-3.0")
    expect(xen_note(image, "LOADER") == b"generic\0", "LOADER is not generic")


def notes_addresses(image):
    first = image.loads[0]
    for name, base in (("VIRT_BASE", first.vaddr), ("PADDR_OFFSET", first.paddr)):
        value = xen_number(image, name)
        expect(value == base, f"{name} is 0x{value:x}, the first segment begins at 0x{base:x}")


def notes_entry(image):
    entry = xen_number(image, "ENTRY")
    start, end = image.address["__text_start"], image.address["__text_end"]
    expect(start <= entry < end, f"ENTRY 0x{entry:x} lies outside text 0x{start:x}..0x{end:x}")
    expect(entry == image.address["pv_entry"], "ENTRY is not pv_entry")


def pvh_entry(image):
    """It is entered without paging, so all it needs until there is some lies in the first page."""
    first = image.loads[0]
    entry = xen_number(image, "PHYS32_ENTRY")
    expect(first.paddr <= entry < first.paddr + PAGE, f"PHYS32_ENTRY 0x{entry:x} is not in the first page")
    expect(entry - first.paddr == image.address["pvh_entry"] - first.vaddr, "it is not pvh_entry")


def multiboot_headers(image):
    """Where GRUB looks, with sums of zero; GRUB takes the ELF header's entry, a virtual address."""
    old = next(at for at in range(0, 8192 - 12, 4) if image.data[at:at + 4] == b"\x02\xb0\xad\x1b")
    expect(sum(struct.unpack_from("<III", image.data, old)) % (1 << 32) == 0, "multiboot 1: the sum")
    new = next(at for at in range(0, 32768 - 16, 8) if image.data[at:at + 4] == b"\xd6\x50\x52\xe8")
    words = struct.unpack_from("<IIII", image.data, new)
    expect(words[1] == 0 and sum(words) % (1 << 32) == 0, "multiboot 2: architecture or sum")
    end = struct.unpack_from("<HHI", image.data, new + words[2] - 8)
    expect(end == (0, 0, 8), "multiboot 2: the tags have no end")
    expect(image.header.entry == image.address["multiboot_entry"], "e_entry is not multiboot_entry")


def no_hypercall_page(image):
    kinds = [kind for _, kind, _ in image.notes()]
    expect(NOTE["HYPERCALL_PAGE"] not in kinds, "there is a HYPERCALL_PAGE note")
    expect("hypercall_page" not in image.address, "there is a symbol hypercall_page")


def nothing_writable_and_executable(image):
    for load in image.loads:
        expect(load.flags & (PF_W | PF_X) != PF_W | PF_X, f"segment at 0x{load.vaddr:x} is both")
        expect(load.flags & PF_R, f"segment at 0x{load.vaddr:x} is not readable")
    for section in image.sections:
        if not section.flags & SHF_ALLOC or not section.size or section.name == ".tbss":
            continue
        homes = [s for s in image.loads
                 if s.vaddr <= section.addr and section.addr + section.size <= s.vaddr + s.memsz]
        expect(len(homes) == 1, f"{section.name} lies in {len(homes)} segments")
        # .tdata is a template that is only read, .rodata has ARM's GOT: writable as sections, not as memory.
        if section.flags & SHF_WRITE and section.name not in (".tdata", ".init_array", ".fini_array", ".rodata"):
            expect(homes[0].flags & PF_W, f"{section.name} is written, its segment cannot be")
        if section.flags & SHF_EXEC:
            expect(homes[0].flags & PF_X, f"{section.name} is code, its segment is not")


def addresses(image):
    end = PAGE
    for load in image.loads:
        distance = image.loads[0].vaddr - PADDR
        expect(load.vaddr - load.paddr == distance,
               f"p_vaddr 0x{load.vaddr:x} is not 0x{distance:x} above p_paddr 0x{load.paddr:x}")
        expect(load.vaddr % PAGE == load.offset % PAGE, f"0x{load.vaddr:x} is not aligned in the file")
        expect(load.vaddr >= end, f"0x{load.vaddr:x} overlaps what is below it")
        end = load.vaddr + load.memsz
    expect(image.loads[0].vaddr % PAGE == 0, "the image does not begin with a page")
    expect(image.loads[0].vaddr >= 1 << 20, "the image reaches into the first MiB")
    expect(end < 1 << 31, "the image reaches above 2 GiB")


def constant_part_ends_at_2_mib(image):
    for load in image.loads:
        end = -(-(load.vaddr + load.memsz) // PAGE) * PAGE
        if load.flags & PF_W:
            expect(load.vaddr % LARGE_PAGE == 0, f"written memory begins at 0x{load.vaddr:x}")
        else:
            expect(end % LARGE_PAGE == 0, f"constant memory ends at 0x{end:x}")
    expect(image.address["__rodata_end"] % LARGE_PAGE == 0, "__rodata_end is no multiple of 2 MiB")


def small_enough(image):
    size = sum(load.filesz for load in image.loads)
    expect(0 < size <= LOADABLE_MAX, f"{size} loadable bytes, over {LOADABLE_MAX}")


def no_relocations(image):
    for section in image.sections:
        expect(section.type not in (SHT_REL, SHT_RELA) or not section.size,
               f"{section.name} holds relocations")
    for segment in image.segments:
        expect(segment.type not in (PT_DYNAMIC, PT_INTERP), "there is dynamic linking")
    missing = [s.name for s in image.symbols if not s.shndx and s.name]
    expect(not missing, f"undefined: {' '.join(missing)}")


def spell(data, pairs, byte):
    """What a byte of a name in the table stands for."""
    if byte < 0x80:
        return chr(byte)
    at = pairs + 2 * (byte - 0x80)
    return spell(data, pairs, data[at]) + spell(data, pairs, data[at + 1])


def symbol_table_is_the_symbols(image):
    """The table that backtraces read holds every function and nothing else."""
    count, = struct.unpack_from("<I", image.data, image.offset_of(image.address["symbol_count"]))
    pairs = image.offset_of(image.address["symbol_pairs"])
    at, offset, offsets, names = image.offset_of(image.address["symbol_table"]), 0, [], []
    for _ in range(count):
        shift, more = 0, True
        while more:
            byte = image.data[at]
            offset, shift, more, at = offset + ((byte & 0x7f) << shift), shift + 7, byte & 0x80, at + 1
        offsets.append(offset)
        end = image.data.index(b"\0", at)
        names.append("".join(spell(image.data, pairs, byte) for byte in image.data[at:end]))
        at = end + 1
    expect(offsets == sorted(set(offsets)), "its offsets do not ascend")

    start, functions = image.address["__text_start"], {}
    for symbol in image.symbols:
        section = image.sections[symbol.shndx] if 0 < symbol.shndx < len(image.sections) else None
        if (section and section.flags & SHF_EXEC and symbol.info & 15 not in (STT_SECTION, STT_FILE)
                # $x, $a, $d: ARM's, for tools
                and not symbol.name.startswith(("__text_", "__program_text_", "$")) and symbol.value >= start):
            thumb = symbol.value & 1 if image.header.machine == ARM else 0      # some of newlib's
            functions.setdefault(symbol.value - thumb - start, set()).add(symbol.name)
    expect(len(functions) > 100, f"only {len(functions)} functions in the image")
    expect(set(offsets) == set(functions),
           f"{len(offsets)} in the table, {len(functions)} in the image; "
           f"differ: {sorted(set(offsets) ^ set(functions))[:5]}")
    for offset, name in zip(offsets, names):
        expect(name in functions[offset], f"0x{offset:x} is called {name}, not {functions[offset]}")


def arm_boot_header(image):
    """Linux Documentation/arch/arm64/booting.rst; it begins the file that objcopy makes of this one."""
    first = image.loads[0]
    offset, size, flags = struct.unpack_from("<QQQ", image.data, first.offset + 8)
    expect(image.data[first.offset + 56:first.offset + 60] == b"ARM\x64", "no magic")
    expect(offset == 0, f"text_offset is 0x{offset:x}")
    end = max(load.vaddr + load.memsz for load in image.loads)
    expect(size == image.address["__image_size"] >= end - first.vaddr, f"image_size is 0x{size:x}")
    expect(flags == 0xa, f"flags are 0x{flags:x}")


def zimage_header(image):
    """Linux Documentation/arch/arm/booting.rst; as Xen 4.17 reads it (xen/arch/arm/kernel.c): from start to end is what it loads."""
    first = image.loads[0]
    magic, start, end = struct.unpack_from("<III", image.data, first.offset + 36)
    expect(magic == 0x016f2818, f"the magic is 0x{magic:x}")
    expect(start == 0, f"it is to be loaded at 0x{start:x}, not anywhere")
    expect(end == file_size(image), f"it ends at {end}, the file at {file_size(image)}")
    entry, = struct.unpack_from("<I", image.data, first.offset + 32)
    expect(first.vaddr + 32 + 8 + ((entry & 0xffffff) << 2) == image.address["arm_entry"] and entry >> 24 == 0xea,
           "behind the first eight words is no branch to arm_entry")


def arm_parts_begin_with_pages(image):
    """The entry gives each part its rights by pages (boot/arm*_entry.S)."""
    for name in ("__image_start", "__text_end_page", "__rodata_end", "__data_start", "__image_end"):
        expect(image.address[name] % PAGE == 0, f"{name} is 0x{image.address[name]:x}")
    if image.header.machine == AARCH64:
        expect(image.address["mmu_is_on"] == image.address["__image_start"] + 0x200, "mmu_is_on is no vector's")
    code = [s for s in image.sections if s.flags & SHF_EXEC]
    expect(len(code) == 1 and code[0].addr + code[0].size <= image.address["__text_end_page"], "code outside of text")


def file_size(image):
    """Of what objcopy makes of this one."""
    return max(load.vaddr + load.filesz for load in image.loads) - image.loads[0].vaddr


def arm_small_enough(image):
    size, most = file_size(image), IMAGE_MAX[image.header.machine]
    expect(0 < size <= most, f"the file has {size} bytes, over {most}")


FPU = {X86_64: ("objdump", r"%([xyz]mm\d+|mm\d|st\b)"),
       AARCH64: ("aarch64-linux-gnu-objdump", r"[\s,{\[][vqdshb]\d+\b"),
       ARM: ("arm-linux-gnueabihf-objdump", r"[\s,{\[][qds]\d+\b")}


def kernel_leaves_the_fpu_alone(image, objects):
    """An upcall does not save the program's registers of the FPU; on ARM what saves them is assembly."""
    objdump, registers = FPU[image.header.machine]
    if image.header.machine != X86_64:
        objects = [name for name in objects if not name.endswith(".S.o")]
    register = re.compile(registers)
    expect(len(objects) > 20, f"only {len(objects)} kernel objects to look at")
    result = subprocess.run([objdump, "-d", "--no-show-raw-insn", *objects], check=True,
                            capture_output=True, text=True)
    name, instructions = "", 0
    for line in result.stdout.splitlines():
        if "file format" in line:
            name = line.split(":")[0]
        instructions += line.startswith("  ")
        operands = re.sub(r"\S+ <.*|//.*", "", line.partition(":\t")[2])     # without targets of jumps
        expect(not register.search(operands), f"{name}: {line.strip()}")
    expect(instructions > 1000, f"objdump showed {instructions} instructions")


CHECKS = {
    X86_64: [elf_header, notes_in_first_load, notes_version_and_loader, notes_addresses, notes_entry,
             pvh_entry, multiboot_headers, no_hypercall_page, nothing_writable_and_executable, addresses,
             constant_part_ends_at_2_mib, small_enough, no_relocations, symbol_table_is_the_symbols],
    AARCH64: [elf_header, arm_boot_header, nothing_writable_and_executable, arm_parts_begin_with_pages,
              arm_small_enough, no_relocations, symbol_table_is_the_symbols],
    ARM: [elf_header, zimage_header, nothing_writable_and_executable, arm_parts_begin_with_pages,
          arm_small_enough, no_relocations, symbol_table_is_the_symbols],
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("image")
    parser.add_argument("objects", nargs="*")
    args = parser.parse_args()
    machine = Image(args.image).header.machine
    checks = [(check, ()) for check in CHECKS[machine]] + [(kernel_leaves_the_fpu_alone, (args.objects,))]
    passed = failed = 0

    for check, more in checks:
        if args.only not in f"check_image.py/{check.__name__}":
            continue
        try:
            check(Image(args.image), *more)
            passed += 1
            print(f"ok - image/{check.__name__}")
        except (AssertionError, KeyError, ValueError, IndexError, struct.error, OSError,
                subprocess.CalledProcessError) as error:
            failed += 1
            print(f"not ok - image/{check.__name__}: {type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
