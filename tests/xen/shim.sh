# SPDX-License-Identifier: MIT
# PV inside of PVH: a Xen of its own (pvshim) between the domain and the host's. That Xen sets registers of the bed's
# emulated CPU that the host's does not let it (hence msr_relaxed), and finds no size for what XSAVE saves.
# needs: hello xen-shim
# limit: 200
# xen: 4.17 4.20
# each_xen: shim_hello

test_shim_hello() {
    boot hello 'type="pvh"' pvshim=1 'pvshim_path="/scenario/xen-shim"' 'pvshim_extra="xsave=0 loglvl=error"' \
        msr_relaxed=1 memory=128
    says "hello: exit(0): poweroff" 180
    ends poweroff
    says_line "^guest: *pv on Xen "
    says_not error:
}
