# SPDX-License-Identifier: MIT
# PV inside of PVH: a Xen of its own (pvshim) between the domain and the host's.
# needs: hello xen-shim
# limit: 120
# xen: 4.17 4.20

boot_shim() {
    local app=$1
    shift
    boot "$app" 'type="pvh"' pvshim=1 'pvshim_path="/scenario/xen-shim"' "$@"
}

test_shim_hello() {
    boot_shim hello memory=64
    says "hello: exit(0): poweroff" 100
    ends poweroff
    says_line "^guest: *pv on Xen "
    says_not error:
}
