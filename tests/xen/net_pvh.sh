# SPDX-License-Identifier: MIT
# The network through the door of PVH: the same clients see the same.
# needs: http netecho iperf netsum
# limit: 200
# xen: 4.17 4.20
. /scenario/net.sh
. /scenario/clients.sh

# pvh APP VCPUS
pvh() { serve "$1" 10.0.2.30 'type="pvh"' "vcpus=$2"; }

ping_all() { pvh netecho "$1"; ping_checks; nc_checks; }
test_pvh_ping_and_nc_1_vcpu() { ping_all 1; }
test_pvh_ping_and_nc_4_vcpus() { ping_all 4; }

curl_all() { pvh http "$1"; curl_checks "$1"; ab_checks; }
test_pvh_curl_and_ab_1_vcpu() { curl_all 1; }
test_pvh_curl_and_ab_4_vcpus() { curl_all 4; }

iperf_all() { pvh iperf "$1"; iperf_checks; }
test_pvh_iperf_1_vcpu() { iperf_all 1; }
test_pvh_iperf_4_vcpus() { iperf_all 4; }

test_pvh_relay_16_mib_1_vcpu() { relay 16 1 'type="pvh"'; }
test_pvh_relay_16_mib_4_vcpus() { relay 16 4 'type="pvh"'; }
