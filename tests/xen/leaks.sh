# SPDX-License-Identifier: MIT
# A hundred domains come and go; dom0 and Xen then hold what they held before.
# needs: hello
# limit: 300

# What one cycle could leave behind: memory, xenstore nodes, dom0's event channels, grants, processes.
holdings() {
    xl debug-keys e
    xl debug-keys g
    usleep 300000
    xl dmesg -c >keys
    echo "free MiB: $(xl info free_memory)"
    for path in /local/domain /vm /libxl; do
        echo "xenstore nodes in $path: $(xenstore-ls -f $path 2>/dev/null | wc -l)"
    done
    echo "event channels: $(grep -c '^(XEN) *[0-9]* \[' keys)"
    echo "grants: $(grep -c '^(XEN) *\[0x' keys)"
    echo "domains: $(xl list | wc -l)"
}

cycle() {
    domain=cycle$1
    create "$domain" hello.elf memory=8 >create.out || { cat create.out; fail "cycle $1: xl create: exit status $?"; }
    wait_gone "$domain" 20 || fail "cycle $1: $(xl list "$domain" | tail -n 1)"
    console_text "$domain" | grep -q 'hello: exit(0): poweroff' || fail "cycle $1: $(console_text "$domain")"
    rm -f "$(console_log "$domain")" "/var/log/xen/xl-$domain.log"
}

same() {
    holdings >after
    cmp -s before after
}

test_leaks_100_cycles() {
    cycle 0     # makes what stays: paths, caches
    usleep 500000
    holdings >before
    for n in $(seq 100); do
        cycle "$n"
    done
    wait_for 10 same || { diff before after; fail "something stayed"; }
    note "$(tr '\n' ',' <after)"
}
