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

# One comes while the one before it goes; every tenth is destroyed before it has run.
comes() {
    [ $(($1 % 10)) = 0 ] && create_paused=-p || create_paused=
    create "cycle$1" hello.elf memory=8 >create.out ||
        { cat create.out; fail "cycle $1: xl create: exit status $?"; }
    [ -z "$create_paused" ] || xl destroy "cycle$1" || fail "cycle $1: xl destroy: exit status $?"
}

goes() {
    wait_gone "cycle$1" 20 || fail "cycle $1: $(xl list "cycle$1" | tail -n 1)"
    [ $(($1 % 10)) = 0 ] || console_text "cycle$1" | grep -q 'hello: exit(0): poweroff' ||
        fail "cycle $1: $(console_text "cycle$1")"
    rm -f "$(console_log "cycle$1")" "/var/log/xen/xl-cycle$1.log"
}

same() {
    holdings >after
    cmp -s before after
}

test_leaks_100_cycles() {
    comes 1     # makes what stays: paths, caches
    goes 1
    usleep 500000
    holdings >before
    comes 1
    for n in $(seq 2 100); do
        comes "$n"
        goes $((n - 1))
    done
    goes 100
    wait_for 10 same || { diff before after; fail "something stayed"; }
    note "$(tr '\n' ',' <after | sed 's/,$//; s/,/, /g')"
}

# The measure itself: a domain that lives is seen in each of its lines.
test_leaks_would_be_seen() {
    holdings >before
    create alive hello.elf memory=8 'on_poweroff="preserve"'
    console_has alive "exit(0)" 20 || fail "does not run"
    holdings >after
    while read -r line; do
        ! grep -qxF "$line" after || fail "not seen: $line"
    done <before
}
