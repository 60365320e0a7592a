# SPDX-License-Identifier: MIT
# For scenarios that run tests/xen/apps/clock: busybox sh, sourced by them.

# tells_the_time CREATE...: ten seconds of the domain are ten of dom0's, and it knows the date. Newer Xens
# refuse native_paravirt.
tells_the_time() {
    local begin end first last
    ( "$@" ) || {
        ! grep -q "has been removed" "/run/$domain.create" || skip "Xen has removed that mode"
        exit 1
    }
    wait_for 1200 said_times 1 || fail "no time"
    read_uptime
    begin=$now
    wait_for 30 said_times 6 || fail "only $(console_lines | grep -c '^time:') times"
    read_uptime
    end=$now
    today=$(date +%s)
    first=$(console_lines | sed -n 's/^time: \(.*\)\.\(.*\)$/\1\2/p' | head -n 1)
    last=$(console_lines | sed -n 's/^time: \(.*\)\.\(.*\)$/\1\2/p' | tail -n 1)
    ends poweroff
    differ "ten seconds" $((last - first)) $((end - begin)) 50
    differ "the date" $((last / 100)) "$today" 2
}

said_times() { [ "$(console_lines 2>/dev/null | grep -c '^time: ')" -ge "$1" ]; }

# differ WHAT A B MOST: fail when A and B are further apart.
differ() {
    [ $(($2 - $3)) -le "$4" ] && [ $(($3 - $2)) -le "$4" ] || fail "$1: $2 in the domain, $3 in dom0"
}
