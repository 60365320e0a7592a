# SPDX-License-Identifier: MIT
# PV inside of PVH: a Xen of its own (pvshim) between the domain and the host's. That Xen sets registers of the bed's
# emulated CPU that the host's does not let it (hence msr_relaxed), and may not take to that CPU at all.
# needs: hello xen-shim
# limit: 60
# xen: 4.17 4.20

test_shim_hello() {
    boot hello 'type="pvh"' pvshim=1 'pvshim_path="/scenario/xen-shim"' 'pvshim_extra="console=xen,pv"' msr_relaxed=1 \
        memory=128
    wait_for 40 ended || fail "no end"
    ! console_lines | grep -q "$DIED" ||
        skip "the shim's Xen does not run on this CPU: $(console_lines | grep -A2 -m 1 "$DIED" | head -n 3 | tr '\n' ' ')"
    ends poweroff
    says_line "^guest: *pv on Xen "
    says_not error:
}

# It says one of these; its console may end before the whole of its report.
DIED='^(XEN) \(Panic on CPU\|Xen BUG at\|Xen stack trace\|FATAL TRAP\)'
ended() { console_lines | grep -q -e 'hello: exit(0): poweroff' -e "$DIED"; }
