# SPDX-License-Identifier: MIT
# For scenarios that run apps/selftest: busybox sh, sourced by them.

# A directory larger than one answer of xenstore, which only dom0 may make.
make_big_directory() {
    home=/local/domain/$(xl domid "$domain")/data
    for n in $(seq 300); do
        echo "$home/big/a-child-with-a-long-name-$n 1"
    done | xargs -n 100 xenstore-write
    xenstore-write "$home/big-count" 300
}

# tap [LINE...]: run it, until the scenario's limit; pass when every test of its plan passed, and it says so at its end.
tap() { tap_of boot selftest "$@" memory=64; }

# tap_of CREATE...: the same of a domain that this creates. With Xen's own rate limit of switches, where the bed has
# none: several vCPUs on one CPU take up to twice as long without.
tap_of() {
    create_paused=-p
    xl sched-credit2 -s -r 1000 || fail "no rate limit of switches"
    "$@"
    make_big_directory
    xl unpause "$domain"
    wait_gone "$domain" "${tap_limit:-520}" || fail "no end; the last test: $(console_lines | grep '^\(not \)\?ok ' | tail -n 1)"
    console_lines >tap
    plan=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' tap)
    passed=$(grep -c '^ok [0-9]* - ' tap)
    failed=$(sed -n 's/^not ok [0-9]* - //p' tap | tr '\n' ' ')
    [ -z "$failed" ] || { why_not; fail "in the guest: $failed"; }
    [ "${plan:-0}" -gt 0 ] || fail "no plan"
    expect "tests passed" "$passed" "$plan"
    says_line "^$plan passed, 0 failed$"
    ends poweroff
    skipped=$(sed -n 's/^ok [0-9]* - \([^ ]*\) # SKIP.*/, \1 skipped/p' tap | tr -d '\n')
    note "$plan tests$skipped"
}

# Each failed test with what it said before.
why_not() {
    awk '/^not ok/ { printf "%s%s\n", said, $0 } /^#/ { said = said $0 "\n"; next } { said = "" }' tap
}
