# SPDX-License-Identifier: MIT
# Stock clients in dom0 against domains of 1, 2 and 4 vCPUs, with a queue for each.
# needs: http netecho
# limit: 200
# again: hvm rtl
# arch: x86_64 arm64 arm32
# not_arm: ping_2_vcpus curl_2_vcpus ab_2_vcpus nc_2_vcpus
# not_short: ping_2_vcpus curl_2_vcpus ab_2_vcpus nc_2_vcpus
# short: ping_1_vcpu ping_4_vcpus curl_1_vcpu curl_4_vcpus
# short_gic2: ping_1_vcpu curl_4_vcpus
# short_xen32: ping_1_vcpu curl_4_vcpus
. /scenario/net.sh
. /scenario/clients.sh

ping_all() {
    serve netecho 10.0.2.30 "vcpus=$1"
    ping_checks
}
test_ping_1_vcpu() { ping_all 1; }
test_ping_2_vcpus() { ping_all 2; }
test_ping_4_vcpus() { ping_all 4; }

curl_all() {
    serve http 10.0.2.30 "vcpus=$1"
    curl_checks "$1"
}
test_curl_1_vcpu() { curl_all 1; }
test_curl_2_vcpus() { curl_all 2; }
test_curl_4_vcpus() { curl_all 4; }

ab_all() {
    serve http 10.0.2.30 "vcpus=$1"
    ab_checks
}
test_ab_1_vcpu() { ab_all 1; }
test_ab_2_vcpus() { ab_all 2; }
test_ab_4_vcpus() { ab_all 4; }

nc_all() {
    serve netecho 10.0.2.30 "vcpus=$1"
    nc_checks
}
test_nc_1_vcpu() { nc_all 1; }
test_nc_2_vcpus() { nc_all 2; }
test_nc_4_vcpus() { nc_all 4; }
