# SPDX-License-Identifier: MIT
# apps/selftest, which tests every subsystem from inside: its TAP is counted, its failures named.
# needs: selftest
# limit: 180
# xen: 4.14 4.17 4.20

# tap [LINE...]: run it; pass when every test of its plan passed, and nothing else is said of them.
tap() {
    boot selftest "$@" memory=64
    wait_gone "$domain" 150 || fail "no end; the last test: $(console_lines | grep '^\(not \)\?ok ' | tail -n 1)"
    console_lines >tap
    plan=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' tap)
    passed=$(grep -c '^ok [0-9]* - ' tap)
    failed=$(sed -n 's/^not ok [0-9]* - //p' tap | tr '\n' ' ')
    [ -z "$failed" ] || { grep '^\(not ok\|#\)' tap; fail "in the guest: $failed"; }
    [ "${plan:-0}" -gt 0 ] || fail "no plan"
    expect "tests passed" "$passed" "$plan"
    says_line "^$plan passed, 0 failed$"
    ends poweroff
    note "$plan tests"
}

test_selftest_2l() { tap 'extra="-events=2l"'; }
test_selftest_fifo() { tap 'extra="-events=fifo"'; }
