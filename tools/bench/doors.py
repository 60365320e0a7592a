# SPDX-License-Identifier: MIT
"""The rows that set the doors side by side: the same file as a PV, a PVH and an HVM domain.

PV's figures are those of the other parts, but for TCP. HVM's boot is measured from unpause, with all of the BIOS
and GRUB from a CD, or with the BIOS alone (kernel=), and from the kernel's entry, by the time-stamp counter
(apps/bench), as PVH's is then; without the emulated serial port, which PVH hasn't either.
"""
import re

import network
from image import BedError
from linux_domu import WAIT_GONE

BOOT_MIB = (2, 8, 32, 128, 1024, 4096)
PVH_MUST, PVH_AIM = 600_000, 200_000
HVM_RATIO = 1.2     # of PVH, from entry to main
NATIVE = """'tsc_mode="native"'"""
PVH = f"""'type="pvh"' {NATIVE}"""
HVM = """'type="hvm"'"""     # which is native by itself: tools/bed/dom0/lib.sh
# apps/bench's names, and what the table calls them.
OPERATIONS = [("null_hypercall", "null hypercall"), ("event_to_self", "event to self, handled"),
              ("thread_switch", "thread switch, by yield"), ("first_page_write", "first write to a page"),
              ("grant_access_end", "grant and end"), ("clock_read", "clock read")]
TURNS = 2

SCRIPT = WAIT_GONE + "boot() { boot_time \"$@\" && quiet_gone \"$1\" 30; }\n" + " && ".join(
    [f'boot pvh_{what}_{mib}.{turn} hello.elf "{marker}" 20 memory={mib} {PVH}' for turn in range(TURNS)
     for mib in BOOT_MIB for what, marker in (("first_line", "Hello"), ("working", "domain:   "))]
    + [f"create pvh bench.elf {PVH} && quiet_gone pvh 200",
       f"create hvmk bench.elf {HVM} 'extra=\"entry\"' && quiet_gone hvmk 200",
       f'boot hvmk_first_line.0 hello.elf "Hello" 200 {HVM}',
       'boot hvm_first_line.0 hello.iso "Hello" 300', "create hvm bench.plain.iso && quiet_gone hvm 500"]) + "\n"

# One door and card after the other: bench-network in a domain, network_client in dom0. The bed's own hotplug script
# knows no emulated cards.
TCP = network.COMMON + """
cat >vif-card <<'END'
#!/bin/busybox sh
[ "$1" != add ] || ip link set "$INTERFACE" master xenbr0 up
exec /etc/xen/scripts/vif-bridge "$@"
END
chmod +x vif-card
tcp() {     # NAME VIF'S MORE KERNEL [LINE...]
    local name=$1 vif="bridge=xenbr0,mac=$mac$2" what
    shift 2
    create "$name" "$@" "vif=['$vif']" memory=$mib && wait_for 100 reaches || return 1
    for what in tcp_in tcp_out; do
        ./network_client $address net_$what >report || { cat report; return 1; }
        sed "s/^bench net_/bench doors_${name}_/" report
    done
    end "$name"
}
"""
CARD = ",model=rtl8139,script=/scenario/vif-card"
OURS = f"bench-network.elf 'extra=\"-ip={network.ADDRESS}/24%s\"'"
TCP_DOORS = [("pv", "PV, netfront", f"'' {OURS % ''} {NATIVE}"), ("pvh", "PVH, netfront", f"'' {OURS % ''} {PVH}"),
             ("hvm", "HVM, netfront", f"',type=vif' {OURS % ''} {HVM}"),
             ("rtl", "HVM, rtl8139", f"'{CARD}' {OURS % ' -net=rtl8139'} {HVM}")]
TCP_SCRIPT = TCP + " && ".join(f"tcp {name} {more}" for name, _, more in TCP_DOORS) + "\n"


def figures_of(timings, consoles, operations_of):
    figures = {}
    for key, value in timings.items():
        kind, _, rest = key.partition(".")
        name = rest.rpartition(".")[0]
        if kind == "boot_cpu_ns" and name:
            figures[f"doors_{name}"] = min(int(value), figures.get(f"doors_{name}", int(value)))
    for door in ("pvh", "hvm", "hvmk"):
        for key, (elapsed, own) in operations_of(consoles.get(door, "")).items():
            figures[f"doors_{door}_{key}"] = elapsed if key == "entry_to_main" else own
    return figures


def tcp_figures_of(output):
    """Rates by the clock, and a MiB's price in the domain."""
    figures = {}
    for key, elapsed, own in re.findall(r"^bench (doors_\w+) ([\d.]+) ([\d.]+)$", output, re.M):
        figures[key], figures[key + "_own"] = network.RATE[1](float(elapsed)), float(own)
    if not figures:
        raise BedError(f"no figures of TCP:\n{output}")
    return figures


def rows(ours):
    """[(key, name, unit, must, aim)]"""
    entry = ours.get("doors_pvh_entry_to_main")
    result = [(f"doors_pvh_first_line_{mib}", f"PVH: unpause to main's first line, {mib} MiB", PVH_MUST, PVH_AIM)
              for mib in BOOT_MIB]
    result += [(f"doors_pvh_working_{mib}", f"PVH: unpause to main, xenstore read and shown, {mib} MiB", None, None)
               for mib in BOOT_MIB]
    result += [("doors_hvm_first_line", "HVM: unpause to main's first line, BIOS and GRUB included", None, None),
               ("doors_hvmk_first_line", "HVM: the same by kernel=, BIOS included", None, None),
               ("doors_pvh_entry_to_main", "PVH: kernel's entry to main, by the clock", None, None),
               ("doors_hvm_entry_to_main", "HVM: kernel's entry to main, by the clock",
                entry and HVM_RATIO * entry, None),
               ("doors_hvmk_entry_to_main", "HVM: the same by kernel=", entry and HVM_RATIO * entry, None)]
    result += [(f"doors_{door}_{key}", f"{door.upper()}: {name}", None, None)
               for key, name in OPERATIONS for door in ("pvh", "hvm")]
    result = [(key, name, "instructions", must, aim) for key, name, must, aim in result]
    for way, what in (("in", "received"), ("out", "sent")):
        result += [(f"doors_{name}_tcp_{way}", f"{door}: TCP {what}", "Mbit/s", None, None) for name, door, _ in TCP_DOORS]
        result += [(f"doors_{name}_tcp_{way}_own", f"{door}: a MiB of TCP {what}: the domain's part", "instructions", None,
                    None) for name, door, _ in TCP_DOORS]
    return result
