# SPDX-License-Identifier: MIT
# Long streams, both ways: stock iperf 2 at the other end, and apps/netsum, which sums what it sends and gets.
# A GiB each way is net_soak.sh's.
# needs: iperf netsum
# limit: 200
# again: hvm rtl
# arch: x86_64 arm64 arm32
# not_arm: iperf_2_vcpus relay_32_mib_2_vcpus
# not_short: iperf_2_vcpus relay_32_mib_2_vcpus
# short: iperf_1_vcpu iperf_4_vcpus
# short_gic2: iperf_4_vcpus
. /scenario/net.sh
. /scenario/clients.sh

iperf_all() {
    serve iperf 10.0.2.30 "vcpus=$1"
    iperf_checks
}
test_iperf_1_vcpu() { iperf_all 1; }
test_iperf_2_vcpus() { iperf_all 2; }
test_iperf_4_vcpus() { iperf_all 4; }

# By itself, against a stock server. The backend lets so much pass as is told it.
test_iperf_client() {
    iperf -s >server 2>&1 &
    boot iperf "vif=[\"bridge=xenbr0,script=vif-bridge,rate=40Mb/s\"]" "extra=\"-ip=10.0.2.30/24 -- -c 10.0.2.15\""
    ends poweroff 30
    says_line '10.0.2.15 port 5001: sent [0-9]* bytes'
    sent=$(console_lines | sed -n 's/.*: sent \([0-9]*\) bytes.*/\1/p')
    [ "$sent" -gt 20000000 ] || fail "sent $sent bytes only"
    note "$sent bytes"
}

# The sums of the domain and of dom0 agree.
test_sums_agree() {
    serve netsum 10.0.2.30
    echo 2000000 | nc.openbsd 10.0.2.30 5011 >got
    sum=$(crc32 <got)
    says "sent 2000000 bytes, $sum"
    dd if=/dev/urandom bs=64k count=30 of=sent 2>/dev/null
    expect "its sum" "$(nc.openbsd -N 10.0.2.30 5010 <sent)" "$(crc32 <sent) 1966080"
}

test_relay_32_mib_1_vcpu() { relay 32 1; }
test_relay_32_mib_2_vcpus() { relay 32 2; }
test_relay_32_mib_4_vcpus() { relay 32 4; }
