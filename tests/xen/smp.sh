# SPDX-License-Identifier: MIT
# Many vCPUs: they start in every number, come and go as the toolstack wants, and a panic shows all.
# needs: hello vcpus vcpus.lost.elf
# limit: 300
# xen: 4.14 4.17 4.20
# arch: x86_64 arm64 arm32
# not_arm: vcpus_32 vcpus_33 vcpus_64
# not_gic2: vcpus_16
# short: vcpus_8 lost_vcpus_are_named vcpus_16 vcpu_set_down_and_up offline_not_started panic_shows_every_vcpu
# short_gic2: vcpus_8
# short_xen32: vcpus_8
# each_xen: vcpus_4 vcpus_8 lost_vcpus_are_named

# up N: a domain with N vCPUs says that all of them run.
up() {
    boot hello "vcpus=$1" memory=48
    all_up "$1"
}

test_vcpus_1() { up 1; }
test_vcpus_2() { up 2; }
test_vcpus_3() { up 3; }
test_vcpus_4() { up 4; }
test_vcpus_8() { up 8; }
test_vcpus_16() { up 16; }
test_vcpus_32() { up 32; }
test_vcpus_33() { up 33; }
test_vcpus_64() { up 64; }

test_vcpus_8_two_level() {
    boot vcpus 'extra="-events=2l watch"' vcpus=8
    says "online: 0 1 2 3 4 5 6 7" 20
    sleep 2
    xl shutdown -w "$domain"
    says_line '^all workers worked in [1-9]'
    ends poweroff
}

# vCPUs that xenstore lists as offline stay down until they are wanted.
test_offline_not_started() {
    boot vcpus 'extra="watch"' vcpus=2 maxvcpus=4
    says "online: 0 1"
    says_not "online: 0 1 2"
    expect "vCPUs down" "$(xl vcpu-list "$domain" | grep -c -- '--p')" 2
    xl vcpu-set --ignore-host "$domain" 4
    says "online: 0 1 2 3"
    xl shutdown -w "$domain"
    ends poweroff
}

test_vcpu_set_down_and_up() {
    boot vcpus 'extra="watch"' vcpus=4
    says "online: 0 1 2 3"
    for wanted in 1 4 2 3 1 4; do
        xl vcpu-set --ignore-host "$domain" "$wanted" || fail "xl vcpu-set $wanted"
        wait_for 60 down_vcpus $((4 - wanted)) || fail "not $wanted vCPUs up: $(xl vcpu-list "$domain")"
    done
    sleep 1
    xl shutdown -w "$domain"
    says_line '^all workers worked in [1-9]'
    says_not stuck
    ends poweroff
}

# vCPUs that Xen started and that are never heard of: all are named within a second, one goes on.
test_lost_vcpus_are_named() {
    boot vcpus.lost 'extra="watch"' vcpus=3
    says "vCPU 1 did not arrive within a second; going on without it" 30
    says "vCPU 2 did not arrive within a second; going on without it" 1
    says "online: 0"
    expect "vCPUs up" "$(xl vcpu-list "$domain" | grep -c -- '--p')" 0
    xl shutdown -w "$domain"
    says_line '^all workers worked in [1-9]'
    says_not "online: 0 "
    ends poweroff
}

# Every other vCPU is stopped, and shown where it was.
test_panic_shows_every_vcpu() {
    boot vcpus 'extra="panic"' vcpus=4
    ends crash
    console_lines | grep -A100 'panic: ' >report
    expect "vCPUs shown" "$(grep -c 'vCPU [0-3], thread ' report)" 4
    expect "vCPUs shown computing" "$(grep -c '  #[0-9]* computing+0x' report)" 3
    case $(tail -n 1 report) in *"panic: asked to, 3 vCPUs computing") ;; *) fail "last line" ;; esac
}

# Tickless and blocked: the sum of all vCPUs' time over five seconds.
test_idle_uses_no_time() {
    boot vcpus 'extra="idle"' vcpus=8
    says "online: 0 1 2 3 4 5 6 7"
    sleep 1
    before=$(cpu_ms)
    sleep 5
    used=$(($(cpu_ms) - before))
    [ "$used" -le 100 ] || fail "$used ms of CPU time in 5 s of idling"
    note "$used ms in 5 s"
}
