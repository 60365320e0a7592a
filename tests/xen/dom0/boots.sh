# SPDX-License-Identifier: MIT
# For scenarios that boot a hundred times: busybox sh, sourced by them.

# boots N [LINE...]: 100 domains with N vCPUs, one after the other, each says that all of them run. One process of xl
# makes each, waits for its end and removes it.
boots() {
    local vcpus=$1 turn log
    shift
    for turn in $(seq 100); do
        domain=boots_${vcpus}_$turn
        log=$(console_log "$domain")
        echo "$domain" >/run/test/domains
        domain_cfg "$domain" hello.elf "vcpus=$vcpus" memory=64 "$@" >/run/boots.cfg
        timeout 60 xl create -F /run/boots.cfg >/run/boots.create 2>&1 </dev/null ||
            fail "xl create $domain: exit status $?: $(tail -n 1 /run/boots.create)"
        wait_for 5 grep -qa 'hello: exit(0): poweroff' "$log" || fail "$domain has not come to its end"
        grep -qa "^vCPUs: *$vcpus, $vcpus up" "$log" || fail "not all of $vcpus vCPUs are up in $domain"
        ! grep -qa 'vCPU ' "$log" || fail "$domain complains of a vCPU"
        rm -f "$log"
    done
    note "100 of 100"
}
