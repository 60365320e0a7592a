# SPDX-License-Identifier: MIT
# A hundred boots with each number of vCPUs: every one arrives, every time. As HVM by kernel=: GRUB takes twice as long.
# needs: hello
# limit: 3600
# xen: 4.17 4.20
# soak: yes
# again: pvh hvm
# arch: x86_64 arm64 arm32
# not_arm: boots_32 boots_33 boots_64 boots_100
# not_gic2: boots_16

# boots N: 100 domains with N vCPUs, one after the other, each says that all of them run. One process of xl makes each,
# waits for its end and removes it.
boots() {
    local vcpus=$1 turn log
    for turn in $(seq 100); do
        domain=boots_${vcpus}_$turn
        log=$(console_log "$domain")
        echo "$domain" >/run/test/domains
        domain_cfg "$domain" hello.elf "vcpus=$vcpus" memory=64 ${again:+"type=\"$again\""} >/run/boots.cfg
        timeout 60 xl create -F /run/boots.cfg >/run/boots.create 2>&1 </dev/null ||
            fail "xl create $domain: exit status $?: $(tail -n 1 /run/boots.create)"
        wait_for 5 grep -qa 'hello: exit(0): poweroff' "$log" || fail "$domain has not come to its end"
        grep -qa "^vCPUs: *$vcpus, $vcpus up" "$log" || fail "not all of $vcpus vCPUs are up in $domain"
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
test_boots_100() { boots 100; }
