# SPDX-License-Identifier: MIT
# The network of HVM domains: the paravirtual one, for which the emulated card is unplugged; and the card, an
# rtl8139, when asked for or when there is nothing else. Addresses come by DHCP. As a boot takes long, one does for many checks.
# needs: http iperf multiboot_dma.bin
# limit: 600
# xen: 4.17 4.20
# soak: yes
. /scenario/net.sh
. /scenario/clients.sh

# create_hvm APP [LINE...]: paused, with both interfaces. It will be 10.0.2.30.
create_hvm() {
    local app=$1
    shift
    dnsmasq -C /dev/null --keep-in-foreground --user=root --group=root --no-resolv --no-hosts --interface=xenbr0 \
        --bind-interfaces --dhcp-authoritative --dhcp-range=10.0.2.30,10.0.2.30,255.255.255.0,3600 \
        --dhcp-leasefile=/run/leases --no-ping --log-facility=/run/dnsmasq.log &
    create_paused=-p
    boot "$app" 'type="hvm"' "vif=['model=rtl8139,bridge=xenbr0,script=/scenario/vif-card,mac=00:16:3e:00:00:1e']" "$@"
    ip link show "$(vif)-emu" >/dev/null || fail "there is no emulated card"
}

# comes_up DEVICE
comes_up() {
    xl unpause "$domain"
    says "$1: 10.0.2.30/24" 60
    wait_for 10 answers 10.0.2.30 || fail "it does not answer"
}

# The interface's state as the domain shows it: 4 is Connected.
expect_vif() { expect "state of the vif" "$(xenstore-read "/local/domain/$(xl domid "$domain")/device/vif/0/state")" "$1"; }
expect_no_card() { ! ip link show "$(vif)-emu" >/dev/null 2>&1 || fail "the emulated card is still there"; }

test_hvm_netfront_4_vcpus() {
    create_hvm http vcpus=4
    comes_up vif0
    expect_vif 4
    expect_no_card
    ping_checks
    curl_checks 4
}

test_hvm_netfront_iperf() {
    create_hvm iperf
    comes_up vif0
    expect_no_card
    iperf_checks
}

link() { xl qemu-monitor-command "$domain" "set_link net0 $1"; }

test_hvm_rtl8139() {
    create_hvm http 'extra="-net=rtl8139"'
    comes_up rtl0
    expect_vif 1
    ping_checks
    curl_checks 1
    link off
    ! answers 10.0.2.30 || fail "it answers without a link"
    link on
    wait_for 10 answers 10.0.2.30 || fail "it does not answer any more"
    xl shutdown -w "$domain"
    ends poweroff
}

# The toolstack offers no paravirtual interface, so there is nothing to ask for.
test_hvm_rtl8139_without_a_vif_iperf_4_vcpus() {
    create_hvm iperf vcpus=4
    xenstore-rm "/local/domain/$(xl domid "$domain")/device/vif"
    comes_up rtl0
    ping_checks
    iperf_checks
}
