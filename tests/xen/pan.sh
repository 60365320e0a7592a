# SPDX-License-Identifier: MIT
# PAN (Privileged Access Never) is on in every vCPU, where the CPU has it; the bed's usual one has not.
# needs: pan
# limit: 60
# arch: arm64
# gic: 3
# cpu: cortex-a76
# short: pan_is_on

test_pan_is_on() {
    boot pan vcpus=4
    says "pan: exit("
    ! console_has "$domain" "PAN not there" 0 || skip "this CPU has no PAN"
    ends poweroff
    expect "vCPUs with PAN" "$(console_lines | grep -c '^vCPU [0-3]: PAN on$')" 4
}
