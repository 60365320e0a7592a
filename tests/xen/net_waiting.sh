# SPDX-License-Identifier: MIT
# Programs that wait in sockets: they cost nothing, and shutting down, cancelling and signals reach them.
# needs: waiters
# limit: 100
# arch: x86_64 arm64 arm32
# xen: 4.17 4.20

# waits WHAT [LINE...]: waiters with that argument, an address, and a name server that is not there.
waits() {
    local what=$1
    shift
    boot waiters 'vif=["bridge=xenbr0"]' "extra=\"-ip=10.0.2.30/24,gw=10.0.2.2,dns=10.0.2.251 $what\"" "$@"
    says waiting
}

# Twenty seconds after the last packet nothing but a few wake-ups a minute is left to do.
idle() {
    waits "idle 20" "$@"
    sleep 41 # rather than ask all the time, which takes long
    says "idle: " 5
    us=$(console_lines | sed -n 's/^idle: \([0-9]*\) us in 20 s$/\1/p')
    [ "${us:-9999999}" -lt 1000 ] || fail "$us us in 20 s, more than 0.005 %"
    note "$us us in 20 s"
    ends poweroff
}
test_waiting_costs_nothing() { idle; }
test_waiting_costs_nothing_4_vcpus() { idle vcpus=4; }

test_waiting_shutdown() {
    waits stay
    xl shutdown "$domain"
    ends poweroff 5
}
test_waiting_reboot_4_vcpus() {
    waits stay vcpus=4 'on_reboot="destroy"'
    xl reboot "$domain"
    ends reboot 5
}

ended_all() {
    waits "$@"
    says "ended: 9 of 9" 8
    says_not "otherwise"
    ends poweroff
}
test_waiting_cancelled() { ended_all cancel; }
test_waiting_cancelled_4_vcpus() { ended_all cancel vcpus=4; }
test_waiting_signalled() { ended_all signal; }
