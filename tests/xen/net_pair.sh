# SPDX-License-Identifier: MIT
# Two domains that talk to each other over dom0's bridge: what one leaves blank of a checksum the other gets so.
# needs: netsum
# limit: 200
# arch: x86_64 arm64 arm32
# again: pvh hvm rtl
. /scenario/net.sh

# pair SERVER'S VCPUS, CLIENT'S VCPUS [CLIENT'S KERNEL OPTION]: streams from the client to the server and back, several at a time.
pair() {
    local name=$domain
    domain=${name}_server
    serve netsum 10.0.2.30 memory=64 "vcpus=$1"
    domain=${name}_client
    boot netsum 'vif=["bridge=xenbr0,script=vif-bridge"]' memory=64 "vcpus=$2" \
        "extra=\"-ip=10.0.2.31/24 $3 -- 10.0.2.30 2 1 1 1\""
    ends poweroff 100
    expect "streams as sent" "$(console_lines | grep -c ': as sent$')" 4
    domain=${name}_server
    expect "streams received" "$(console_lines | grep -c ': received ')" 4
    says_not broken
}
test_pair_1_and_1_vcpu() { pair 1 1; }
test_pair_2_and_2_vcpus() { pair 2 2; }
test_pair_4_and_4_vcpus() { pair 4 4; }
test_pair_without_csum() { pair 1 1 -net-off=csum; }
test_pair_without_sg() { pair 1 1 -net-off=sg; }
