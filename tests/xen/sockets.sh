# SPDX-License-Identifier: MIT
# BSD sockets over the loopback, from inside a domain without any network interface.
# needs: sockets
# limit: 240
# arch: x86_64 arm64 arm32
# xen: 4.17 4.20
# each_xen: sockets_4_vcpus

# sockets_pass [LINE...]: every test of tests/xen/apps/sockets passes.
sockets_pass() {
    boot sockets memory=64 "$@"
    wait_gone "$domain" 230 || fail "no end; the last test: $(console_lines | grep '^\(not \)\?ok ' | tail -n 1)"
    plan=$(console_lines | sed -n 's/^1\.\.\([0-9]*\)$/\1/p')
    [ "${plan:-0}" -gt 30 ] || fail "no plan"
    says_line "^$plan passed, 0 failed$"
    ends poweroff
    note "$plan tests"
}

test_sockets_1_vcpu() { sockets_pass; }
test_sockets_4_vcpus() { sockets_pass vcpus=4; }
