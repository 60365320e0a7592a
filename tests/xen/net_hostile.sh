# SPDX-License-Identifier: MIT
# What strangers send: floods of SYNs, scans, packets that make no sense. The domain answers pings all the time,
# and serves again when it is over. About a minute in all; an hour of the same is net_soak.sh's.
# needs: http
# dom0: spray
# limit: 240
# again: pvh hvm rtl
# arch: x86_64 arm64 arm32
# short: syn_flood_1_vcpu port_scan_4_vcpus random_packets_4_vcpus
# not_arm: syn_flood_2_vcpus port_scan_2_vcpus random_packets_2_vcpus
# not_short: syn_flood_2_vcpus port_scan_2_vcpus random_packets_2_vcpus
. /scenario/net.sh
. /scenario/hostile.sh

test_syn_flood_1_vcpu() { attacked 1 syn_flood 5 1000; }
test_syn_flood_2_vcpus() { attacked 2 syn_flood 2 1000; }
test_syn_flood_4_vcpus() { attacked 4 syn_flood 2 1000; }
test_port_scan_1_vcpu() { attacked 1 port_scan 2000; }
test_port_scan_2_vcpus() { attacked 2 port_scan 200; }
test_port_scan_4_vcpus() { attacked 4 port_scan 200; }
test_random_packets_1_vcpu() { attacked 1 random_packets 30; }
test_random_packets_2_vcpus() { attacked 2 random_packets 5; }
test_random_packets_4_vcpus() { attacked 4 random_packets 10; }
