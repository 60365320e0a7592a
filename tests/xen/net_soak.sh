# SPDX-License-Identifier: MIT
# The network for long: a GiB each way, and an hour of what strangers send.
# needs: http netsum
# dom0: spray
# limit: 9000
# soak: yes
. /scenario/net.sh
. /scenario/hostile.sh

test_relay_1_gib_1_vcpu() { relay 1024 1; }
test_relay_1_gib_2_vcpus() { relay 1024 2; }
test_relay_1_gib_4_vcpus() { relay 1024 4; }
test_syn_flood_an_hour() { attacked 2 syn_flood 3600 4000; }
test_port_scan_of_all() { attacked 2 port_scan 65535; }
test_random_packets_an_hour() { attacked 4 random_packets 3600; }
