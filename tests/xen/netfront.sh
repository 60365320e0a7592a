# SPDX-License-Identifier: MIT
# The network frontend without a TCP/IP stack: apps/netraw answers dom0's pings itself.
# needs: netraw
# limit: 120
# arch: x86_64 arm64 arm32
# xen: 4.17 4.20
# each_xen: connects_and_answers backend_reloaded

VIF='bridge=xenbr0,script=vif-bridge'

# Nothing of this is for the world outside the bed, which would even answer in a domain's place; and
# addresses here change hands.
brctl delif xenbr0 eth0 2>/dev/null
ip neigh flush dev xenbr0 2>/dev/null

# starts [LINE...]: netraw as 10.0.2.30 with one interface, and its link comes up.
starts() {
    boot netraw "extra=\"${options:+$options }10.0.2.30\"" "vif=[\"$VIF\"]" memory=48 "$@"
    says "vif0: up"
}

answers() { ping -q -c 1 -W 1 "$1" >/dev/null; }

# pings ADDRESS [SIZE...]: none may be lost, from the moment the bridge has noticed that the vif is up, which
# Linux takes a second for.
pings() {
    local address=$1 size lost
    shift
    wait_for 5 answers "$address" || fail "$address does not answer"
    [ $# -gt 0 ] || set -- 56
    for size; do
        ping -q -c 5 -i 0.2 -W 5 -s "$size" "$address" >ping.out || true
        lost=$(sed -n 's/.*, \([0-9]*\)% packet loss.*/\1/p' ping.out)
        expect "packets lost of $address, $size bytes" "${lost:-all}" 0
    done
}

frontend() { echo "/local/domain/$(xl domid "$domain")/device/vif/${1:-0}"; }
backend() { xenstore-read "$(frontend "$1")/backend"; }
state() { xenstore-read "$1/state" 2>/dev/null; }

# holds: what the domain has lent and taken, in one line, once it has settled.
holds() {
    local before
    before=$(console_lines | grep -c '^holdings: ')
    send_console "$domain" holdings
    wait_for 5 answered "$before" || fail "no holdings"
    console_lines | sed -n 's/^holdings: //p' | tail -n 1
}
answered() { [ "$(console_lines | grep -c '^holdings: ')" -gt "$1" ]; }

# said COUNT TEXT: so often.
said() { [ "$(console_lines | grep -cF -- "$2")" -ge "$1" ]; }

test_connects_and_answers() {
    starts
    says "vif0: up mtu 1500 queues 1 sg csum4 csum6 gso4 gso6"
    pings 10.0.2.30 0 18 56 512 1471 1472
    expect "state of the frontend" "$(state "$(frontend)")" 4
    says_not error
    says_not warning
}

test_without_any_interface() {
    boot netraw 'extra="10.0.2.30"'
    sleep 1
    xl shutdown -w "$domain"
    says_not vif
    says_not error
}

test_three_interfaces() {
    boot netraw 'extra="10.0.2.30"' "vif=[\"$VIF,mac=00:16:3e:00:00:01\", \"$VIF\", \"$VIF\"]" memory=48
    for n in 0 1 2; do
        says "vif$n: up"
    done
    says "vif0: added 00:16:3e:00:00:01"
    for n in 0 1 2; do
        pings "10.0.2.3$n"
    done
}

test_mtu_from_xenstore() {
    ip link set xenbr0 mtu 9000
    boot netraw 'extra="10.0.2.30"' "vif=[\"$VIF,mtu=9000\"]"
    says "vif0: up mtu 9000"
    ip link set "vif$(xl domid "$domain").0" mtu 9000
    pings 10.0.2.30 56 1472 4000 8192 8972
}

# One after the other, each answered; the same is held after each as after the first.
test_detach_and_attach_6_times() {
    boot netraw 'extra="10.0.2.30"' memory=32
    for n in 1 2 3 4 5 6; do
        xl network-attach "$domain" bridge=xenbr0 script=vif-bridge || fail "attach $n"
        wait_for 10 said "$n" "vif0: up" || fail "attached $n times, not up"
        pings 10.0.2.30
        xl network-detach "$domain" 0 || fail "detach $n"
        wait_for 10 said "$n" "vif0: removed" || fail "detached $n times, not removed"
        now=$(holds)
        [ $n = 1 ] && first=$now
    done
    expect "held after the last" "$now" "$first"
    case $now in "netbufs in use 0, grants 0, parked 0,"*) ;; *) fail "still held: $now" ;; esac
    says_not error
    note "$now"
}

# Closing, Closed, InitWait, as a backend driver that restarts tells it.
test_backend_closes_and_returns() {
    starts
    before=$(holds)
    for n in 2 3 4; do
        xenstore-write "$(backend)/state" 5
        wait_for 2 said "$n" "vif0: up" || fail "not up again within 2 s, turn $n"
        pings 10.0.2.30 56 1400
    done
    after=$(holds)
    expect "held" "${after#*,}" "${before#*,}"
    bufs=${after#netbufs in use }
    [ "${bufs%%,*}" -lt 288 ] || fail "$after" # a ring full, and a few sent ones not looked at yet
    says_not error
}

# The driver is taken off the device and put back: a new vif, which nobody but us puts into the bridge.
test_backend_reloaded() {
    starts
    domid=$(xl domid "$domain")
    device=$(ls /sys/bus/xen-backend/drivers/vif/ | grep "^vif-$domid-") || fail "no device of ours"
    for n in 1 2; do
        echo "$device" >/sys/bus/xen-backend/drivers/vif/unbind
        echo "$device" >/sys/bus/xen-backend/drivers/vif/bind
        wait_for 5 [ -e "/sys/class/net/vif$domid.0" ] || fail "no new vif"
        ip link set "vif$domid.0" master xenbr0
        ip link set "vif$domid.0" up
        xenstore-write "$(backend)/hotplug-status" connected
        wait_for 5 answers 10.0.2.30 || fail "does not answer after turn $n"
        pings 10.0.2.30 56 1400
    done
    says_not error
}

# The backend's part of xenstore is there, its driver not yet.
test_slow_hotplug() {
    cat >/etc/xen/scripts/vif-slow <<'END'
#!/bin/sh
[ "$1" = online ] && sleep 4
exec /etc/xen/scripts/vif-bridge "$@"
END
    chmod +x /etc/xen/scripts/vif-slow
    boot netraw 'extra="10.0.2.30"'
    xl network-attach "$domain" bridge=xenbr0 script=vif-slow
    says "vif0: up"
    pings 10.0.2.30
}

# streams ADDRESS KIB: so much goes to it by TCP and comes from it, the latter all x.
streams() {
    dd if=/dev/zero bs=64k count=$(($2 / 64)) 2>/dev/null | timeout 60 nc "$1" 9 || fail "no stream to $1"
    timeout 60 nc "$1" 19 </dev/null | head -c $(($2 * 1024)) >stream
    expect "KiB that came" $(($(stat -c %s stream) / 1024)) "$2"
    [ -z "$(tr -d x <stream | head -c 1)" ] || fail "what came is not what was sent"
}

# packets: how many the domain has sent.
packets() { set -- $(sed -n "s/^ *vif$(xl domid "$domain").0: *//p" /proc/net/dev) && echo "$2"; }

test_streams_both_ways() {
    starts
    streams 10.0.2.30 1024
    before=$(packets)
    timeout 60 nc 10.0.2.30 19 </dev/null | head -c 4194304 >/dev/null
    count=$(($(packets) - before))
    [ "$count" -lt 1500 ] || fail "$count packets for 4 MiB: no large ones"
    note "$count packets for 4 MiB"
    says_not error
}

# without FEATURES WANT: what a link says without these; it works all the same.
without() {
    options="-net-off=$1"
    starts
    console_lines | grep -qx "vif0: up mtu 1500 queues 1$2" || fail "$(console_lines | grep up)"
    pings 10.0.2.30 56 1472
    streams 10.0.2.30 256
    says_not error
}
test_without_gso() { without gso " sg csum4 csum6"; }
test_without_csum() { without csum " sg"; }
test_without_split() { without split " sg csum4 csum6 gso4 gso6"; }
test_without_multicast_and_ctrl() { without mcast,ctrl " sg csum4 csum6 gso4 gso6"; }
test_without_sg() {
    options="-net-off=sg"
    starts
    console_lines | grep -qx "vif0: up mtu 1500 queues 1 csum4 csum6" || fail "$(console_lines | grep up)"
    pings 10.0.2.30 56 1472
    dd if=/dev/zero bs=64k count=8 2>/dev/null | timeout 60 nc 10.0.2.30 9 || fail "no stream"
}

more_queues() { echo "$1" >/sys/module/xen_netback/parameters/max_queues; }

queues() {
    more_queues 8
    starts "vcpus=$1"
    says "vif0: up mtu 1500 queues $1 "
    pings 10.0.2.30 56 1472
    expect "queues published" "$(xenstore-read "$(frontend)/multi-queue-num-queues" 2>/dev/null || echo 1)" "$1"
    streams 10.0.2.30 512
    expect "state" "$(state "$(frontend)")" 4
    says_not error
}
# The queues of vCPUs that go are served by others, and return with them.
test_vcpus_go_and_come() {
    more_queues 8
    starts vcpus=4
    for wanted in 2 4 1 4; do
        xl vcpu-set --ignore-host "$domain" "$wanted" || fail "xl vcpu-set $wanted"
        sleep 1
        pings 10.0.2.30
        streams 10.0.2.30 256
    done
    says_not error
}
test_without_multiqueue() {
    options="-net-off=multiqueue"
    more_queues 8
    starts vcpus=2
    says "vif0: up mtu 1500 queues 1 "
    pings 10.0.2.30
}
test_queues_1_vcpu() { queues 1; }
test_queues_2_vcpus() { queues 2; }
test_queues_4_vcpus() { queues 4; }
