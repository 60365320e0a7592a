# SPDX-License-Identifier: MIT
# Bad wires: packets that are lost, doubled, late, damaged or overtaken change no byte. By netem, both ways.
# needs: netsum
# limit: 400
# again: pvh hvm rtl
# arch: x86_64 arm64 arm32
# not_arm: wires_2_vcpus wires_long_loss
# not_short: wires_2_vcpus
# short: wires_1_vcpu wires_4_vcpus
. /scenario/net.sh

# wires NETEM...: towards the domain that is what the vif does with what it sends; from it, what ifb0
# does with it, which it is sent to first.
wires() {
    local vif
    vif=$(vif)
    $TC qdisc replace dev "$vif" root netem "$@" || fail "netem $*"
    $TC qdisc replace dev ifb0 root netem "$@"
    ! $TC qdisc show dev "$vif" | grep -q ingress || return 0
    ip link set ifb0 up
    $TC qdisc add dev "$vif" handle ffff: ingress
    $TC filter add dev "$vif" parent ffff: matchall action mirred egress redirect dev ifb0 || fail "no redirection"
}

# bad BYTES NETEM...: out of the domain into a file, and from there back. Not by a pipe: nc spins between its
# end and an answer, and dom0 has so much the greater weight that the domain would hardly run (tools/bed).
bad() {
    local bytes=$1
    shift
    wires "$@"
    echo "$bytes" | timeout 180 nc.openbsd 10.0.2.30 5011 >bytes
    timeout 180 nc.openbsd -N 10.0.2.30 5010 <bytes >answer
    expect "bytes that came back, $*" "$(cut -d' ' -f2 answer)" "$bytes"
    wait_for 5 said 1 "sent $bytes bytes, $(cut -d' ' -f1 answer)" || fail "$*: it has sent something else"
}

# Another number of bytes each, so that the domain's lines are not taken for each other.
all_kinds() {
    serve netsum 10.0.2.30 memory=64 "vcpus=$1"
    bad 1000000 loss 1%
    bad 1100000 duplicate 5%
    bad 1200000 delay 10ms reorder 25% 50%
    bad 1300000 delay 50ms 10ms
    bad 1400000 corrupt 1%
    bad 1500000 loss 1% duplicate 1% delay 20ms 10ms corrupt 0.2%
}
test_wires_1_vcpu() { all_kinds 1; }
test_wires_2_vcpus() { all_kinds 2; }
test_wires_4_vcpus() { all_kinds 4; }

# Enough of it that hundreds of packets get lost.
test_wires_long_loss() {
    serve netsum 10.0.2.30 memory=64 vcpus=2
    bad 16000000 loss 2%
    note "$($TC -s qdisc show | grep -A 1 netem | sed -n 's/.* \([0-9]* pkt\) (\(dropped [0-9]*\).*/\1 \2/p' | tr '\n' ' ')"
}
