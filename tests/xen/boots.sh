# SPDX-License-Identifier: MIT
# A hundred boots with each number of vCPUs: every one arrives, every time.
# needs: hello
# limit: 1800
# xen: 4.17 4.20
# soak: yes

# boots N: 100 domains with N vCPUs, one after the other, each says that all of them run. One process of xl
# makes each, waits for its end and removes it.
boots() {
    local turn log
    for turn in $(seq 100); do
        domain=boots_$1_$turn
        log=$(console_log "$domain")
        echo "$domain" >/run/test/domains
        domain_cfg "$domain" hello.elf "vcpus=$1" memory=48 >/run/boots.cfg
        timeout 60 xl create -F /run/boots.cfg >/run/boots.create 2>&1 </dev/null ||
            fail "xl create $domain: exit status $?: $(tail -n 1 /run/boots.create)"
        wait_for 5 grep -qa 'hello: exit(0): poweroff' "$log" || fail "$domain has not come to its end"
        grep -qa "^vCPUs: *$1, $1 up" "$log" || fail "not all of $1 vCPUs are up in $domain"
        ! grep -qa 'vCPU ' "$log" || fail "$domain complains of a vCPU"
        rm -f "$log"
    done
    note "100 of 100"
}

test_boots_1() { boots 1; }
test_boots_2() { boots 2; }
test_boots_3() { boots 3; }
test_boots_4() { boots 4; }
test_boots_8() { boots 8; }
test_boots_16() { boots 16; }
test_boots_32() { boots 32; }
test_boots_33() { boots 33; }
test_boots_64() { boots 64; }
