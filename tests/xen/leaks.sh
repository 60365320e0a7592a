# SPDX-License-Identifier: MIT
# A hundred domains come and go; dom0 and Xen then hold what they held before.
# needs: hello
# limit: 400
# arch: x86_64 arm64 arm32

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

# comes NAME: one domain, while the one before it may still be going. xl create is nearly all that this
# takes, so the loop has no other programs in it; every tenth domain is destroyed before it has run.
comes() {
    xl create $2 eight.cfg "name=\"$1\"" >create.out 2>&1 ||
        { cat create.out; fail "xl create $1: exit status $?"; }
    [ -z "$2" ] || xl destroy "$1" || fail "xl destroy $1: exit status $?"
}

only_dom0() { [ "$(xenstore-list /local/domain)" = 0 ] && [ "$(xl list | wc -l)" = 2 ]; }
ran() { grep -la "hello: exit(0): poweroff" /var/log/xen/console/guest-cycle*.log | wc -l; }

same() {
    holdings >after
    cmp -s before after
}

test_leaks_100_cycles() {
    domain_cfg cycle hello.elf memory=8 >eight.cfg
    comes first     # makes what stays: paths, caches
    wait_for 20 only_dom0 || fail "$(xl list)"
    usleep 500000
    holdings >before
    for tens in 0 1 2 3 4 5 6 7 8 9; do
        for ones in 1 2 3 4 5 6 7 8 9; do
            comes "cycle$tens$ones"
        done
        comes "never$tens" -p
    done
    wait_for 20 only_dom0 || fail "$(xl list)"
    expect "domains that ran to their end" "$(ran)" 90
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
