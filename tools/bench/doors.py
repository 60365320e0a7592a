# SPDX-License-Identifier: MIT
"""The rows that set the doors side by side: the same file as a PV, a PVH and an HVM domain.

PV's figures are those of the other parts. HVM's boot is measured twice: from unpause, with all of the
BIOS and GRUB, and from the kernel's entry, by the time-stamp counter (apps/bench), as PVH's is then.
"""
from linux_domu import WAIT_GONE

BOOT_MIB = (2, 8, 32, 128, 1024, 4096)
PVH_MUST, PVH_AIM = 600_000, 200_000
HVM_RATIO = 1.2     # of PVH, from entry to main
NATIVE = """'tsc_mode="native"'"""
PVH = f"""'type="pvh"' {NATIVE}"""
# apps/bench's names, and what the table calls them.
OPERATIONS = [("null_hypercall", "null hypercall"), ("event_to_self", "event to self, handled"),
              ("thread_switch", "thread switch, by yield"), ("first_page_write", "first write to a page"),
              ("grant_access_end", "grant and end"), ("clock_read", "clock read")]
TURNS = 2

SCRIPT = WAIT_GONE + "boot() { boot_time \"$@\" && quiet_gone \"$1\" 30; }\n" + " && ".join(
    [f'boot pvh_{what}_{mib}.{turn} hello.elf "{marker}" 20 memory={mib} {PVH}' for turn in range(TURNS)
     for mib in BOOT_MIB for what, marker in (("first_line", "Hello"), ("working", "domain:   "))]
    + [f"create pvh bench.elf {PVH} && quiet_gone pvh 200",
       'boot hvm_first_line.0 hello.iso "Hello" 300', "create hvm bench.iso && quiet_gone hvm 500"]) + "\n"


def figures_of(timings, consoles, operations_of):
    figures = {}
    for key, value in timings.items():
        kind, _, rest = key.partition(".")
        name = rest.rpartition(".")[0]
        if kind == "boot_cpu_ns" and name:
            figures[f"doors_{name}"] = min(int(value), figures.get(f"doors_{name}", int(value)))
    for door in ("pvh", "hvm"):
        for key, (elapsed, own) in operations_of(consoles.get(door, "")).items():
            figures[f"doors_{door}_{key}"] = elapsed if key == "entry_to_main" else own
    return figures


def rows(ours):
    """[(key, name, must, aim)]"""
    entry = ours.get("doors_pvh_entry_to_main")
    result = [(f"doors_pvh_first_line_{mib}", f"PVH: unpause to main's first line, {mib} MiB", PVH_MUST, PVH_AIM)
              for mib in BOOT_MIB]
    result += [(f"doors_pvh_working_{mib}", f"PVH: unpause to main, xenstore read and shown, {mib} MiB", None, None)
               for mib in BOOT_MIB]
    result += [("doors_hvm_first_line", "HVM: unpause to main's first line, BIOS and GRUB included", None, None),
               ("doors_pvh_entry_to_main", "PVH: kernel's entry to main, by the clock", None, None),
               ("doors_hvm_entry_to_main", "HVM: kernel's entry to main, by the clock",
                entry and HVM_RATIO * entry, None)]
    return result + [(f"doors_{door}_{key}", f"{door.upper()}: {name}", None, None)
                     for key, name in OPERATIONS for door in ("pvh", "hvm")]
