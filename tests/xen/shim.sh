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
    ! console_lines | grep -q '^(XEN) Panic on CPU' ||
        skip "the shim's Xen panics on this CPU: $(console_lines | grep -A1 '^(XEN) Panic on' | tail -n 1)"
    ends poweroff
    says_line "^guest: *pv on Xen "
    says_not error:
}

ended() { console_lines | grep -q -e 'hello: exit(0): poweroff' -e '^(XEN) Panic on CPU'; }
