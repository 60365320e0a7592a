# SPDX-License-Identifier: MIT
# Bad wires: packets that are lost, doubled, late, damaged or overtaken change no byte. By netem, both ways.
# needs: netsum
# limit: 400
. /scenario/net.sh

# wires NETEM...: towards the domain that is what the vif does with what it sends; from it, what ifb0
# does with it, which it is sent to first.
wires() {
    local vif
    vif=$(vif)
    $TC qdisc add dev "$vif" root netem "$@" || fail "netem $*"
    ip link set ifb0 up
    $TC qdisc add dev "$vif" handle ffff: ingress
    $TC filter add dev "$vif" parent ffff: matchall action mirred egress redirect dev ifb0 || fail "no redirection"
    $TC qdisc replace dev ifb0 root netem "$@"
}

# bad VCPUS NETEM...: out of the domain, through dom0 and back into it.
bad() {
    local bytes=4000000
    serve netsum 10.0.2.30 memory=64 "vcpus=$1"
    shift
    wires "$@"
    echo $bytes | timeout 380 nc.openbsd 10.0.2.30 5011 | timeout 380 nc.openbsd -N 10.0.2.30 5010 >answer
    expect "bytes that came back" "$(cut -d' ' -f2 answer)" $bytes
    says "sent $bytes bytes, $(cut -d' ' -f1 answer)"
    note "$($TC -s qdisc show | grep -A 1 netem | sed -n 's/.* \([0-9]* pkt\) (\(dropped [0-9]*\).*/\1 \2/p' | tr '\n' ' ')"
}

bad_loss() { bad "$1" loss 1%; }
bad_duplicate() { bad "$1" duplicate 5%; }
bad_reorder() { bad "$1" delay 10ms reorder 25% 50%; }
bad_delay() { bad "$1" delay 50ms 10ms; }
bad_corrupt() { bad "$1" corrupt 1%; }
test_wires_loss_1_vcpu() { bad_loss 1; }
test_wires_loss_2_vcpus() { bad_loss 2; }
test_wires_loss_4_vcpus() { bad_loss 4; }
test_wires_duplicate_1_vcpu() { bad_duplicate 1; }
test_wires_duplicate_2_vcpus() { bad_duplicate 2; }
test_wires_duplicate_4_vcpus() { bad_duplicate 4; }
test_wires_reorder_1_vcpu() { bad_reorder 1; }
test_wires_reorder_2_vcpus() { bad_reorder 2; }
test_wires_reorder_4_vcpus() { bad_reorder 4; }
test_wires_delay_1_vcpu() { bad_delay 1; }
test_wires_delay_2_vcpus() { bad_delay 2; }
test_wires_delay_4_vcpus() { bad_delay 4; }
test_wires_corrupt_1_vcpu() { bad_corrupt 1; }
test_wires_corrupt_2_vcpus() { bad_corrupt 2; }
test_wires_corrupt_4_vcpus() { bad_corrupt 4; }
