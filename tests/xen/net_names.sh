# SPDX-License-Identifier: MIT
# Addresses from real DHCP servers and from a router's advertisements, names from a real DNS server.
# needs: netecho resolve
# limit: 300
# arch: x86_64 arm64 arm32
# again: pvh hvm
. /scenario/net.sh

# A wait for something that takes long begins with a sleep, which costs nothing here; looking does.

# dnsmasq_runs [OPTION...]: with a name of each kind.
dnsmasq_runs() {
    printf '10.1.2.3 one.test\n2001:db8::3 one.test\n10.1.2.4 four.test\n2001:db8::6 six.test\n' >/run/names
    rm -f /run/dnsmasq.log /run/leases
    dnsmasq -C /dev/null --keep-in-foreground --user=root --group=root --no-resolv --no-hosts \
        --addn-hosts=/run/names --interface=xenbr0 --bind-interfaces --local=/test/ \
        --cname=alias.test,one.test --dhcp-leasefile=/run/leases --log-facility=/run/dnsmasq.log \
        --log-dhcp --log-queries --no-ping "$@" &
    wait_for 5 grep -qs started /run/dnsmasq.log || fail "no dnsmasq"
}
count() { grep -c "$1" /run/dnsmasq.log; }

asks_for_address() { boot "$1" 'vif=["bridge=xenbr0,script=vif-bridge,mac=00:16:3e:00:00:30"]' "extra=\"$2\""; }
data() { xenstore-read "/local/domain/$(xl domid "$domain")/data/net/0/$1" 2>/dev/null; }

DHCP='--dhcp-authoritative --dhcp-range=10.0.2.100,10.0.2.100,255.255.255.0,120 --dhcp-option=3,10.0.2.15 --dhcp-option=6,10.0.2.15'

# The lease lasts 120 s and is renewed at half of that, with the same server; what is in use is not disturbed.
test_dhcp_of_dnsmasq() {
    dnsmasq_runs $DHCP
    asks_for_address netecho
    says "vif0: 10.0.2.100/24, gateway 10.0.2.15, dns 10.0.2.15"
    expect "data/net/0/ip" "$(data ip)" 10.0.2.100/24
    expect "data/net/0/gateway" "$(data gateway)" 10.0.2.15
    expect "data/net/0/dns" "$(data dns)" 10.0.2.15
    wait_for 5 answers 10.0.2.100 || fail "it does not answer"
    before=$(count DHCPACK) offers=$(count DHCPOFFER)
    sleep 70
    expect "renewals" $(($(count DHCPACK) - before)) 1
    expect "offers" "$(count DHCPOFFER)" "$offers"
    answers 10.0.2.100 || fail "it does not answer any more"
    expect "lines about the address" "$(console_lines | grep -c '10.0.2.100/24')" 1
}

# The server comes late; then it goes, the lease ends, and another one has another address.
test_dhcp_server_comes_and_goes() {
    asks_for_address netecho
    sleep 20
    says_not 10.0.2.
    dnsmasq_runs $DHCP
    sleep 40
    says "vif0: 10.0.2.100/24" 60
    kill $!
    sleep 125
    ! answers 10.0.2.100 || fail "it still has the address of a lease that is over"
    expect "data/net/0/ip" "$(data ip)" ""
    dnsmasq_runs --dhcp-authoritative --dhcp-range=10.0.2.110,10.0.2.110,255.255.255.0,120
    sleep 10
    says "vif0: 10.0.2.110/24" 60
    wait_for 5 answers 10.0.2.110 || fail "it does not answer at the new address"
}

test_dhcp_of_udhcpd() {
    printf 'start 10.0.2.120\nend 10.0.2.120\ninterface xenbr0\nlease_file /run/udhcpd.leases\npidfile /run/udhcpd.pid\n' >/run/udhcpd.conf
    printf 'opt subnet 255.255.255.0\nopt router 10.0.2.15\nopt dns 10.0.2.15\nopt lease 600\n' >>/run/udhcpd.conf
    touch /run/udhcpd.leases
    udhcpd -f -I 10.0.2.15 /run/udhcpd.conf >/run/udhcpd.log 2>&1 &
    asks_for_address netecho
    says "vif0: 10.0.2.120/24, gateway 10.0.2.15, dns 10.0.2.15" 30
    wait_for 5 answers 10.0.2.120 || fail "it does not answer"
}

# names_are: what the domain finds by dnsmasq.
names_are() {
    says "resolve: one.test 10.1.2.3" 60
    says_line '^resolve: one.test .*2001:db8::3'
    says_line '^resolve: four.test 10.1.2.4$'
    says_line '^resolve: six.test 2001:db8::6$'
    says_line '^resolve: alias.test 10.1.2.3'
    ends poweroff 30
    says_line '^resolve: nobody.test: '
    says_line '^resolve: 10.9.8.7 10.9.8.7$'
    says_line '^resolve: localhost 127.0.0.1'
}
NAMES='one.test four.test six.test alias.test nobody.test 10.9.8.7 localhost'

test_dns_server_of_dhcp() {
    dnsmasq_runs $DHCP
    asks_for_address resolve "5 $NAMES"
    names_are
}

test_dns_server_of_command_line() {
    dnsmasq_runs
    asks_for_address resolve "-ip=10.0.2.30/24,gw=10.0.2.15,dns=10.0.2.15 2 $NAMES"
    names_are
}

# The first server does not exist, the second does.
test_dns_first_server_is_silent() {
    dnsmasq_runs
    asks_for_address resolve "-ip=10.0.2.30/24,dns=10.0.2.99,dns=10.0.2.15 2 four.test"
    says "resolve: four.test 10.1.2.4" 60
}

test_dns_without_any_server() {
    asks_for_address resolve "-ip=10.0.2.30/24 1 one.test 10.9.8.7"
    says "resolve: one.test: " 60
    says "resolve: 10.9.8.7 10.9.8.7"
    ends poweroff
}

# A router's prefix makes an address.
test_router_advertisement() {
    ip -6 addr add fd00::15/64 dev xenbr0
    sleep 3             # until Linux takes the address for its own
    dnsmasq_runs --enable-ra --dhcp-range=fd00::,ra-only,64,600
    asks_for_address netecho -ip=10.0.2.30/24
    sleep 5
    says "vif0: fd00::216:3eff:fe00:30" 60
    expect "data/net/0/ip6" "$(data ip6)" fd00::216:3eff:fe00:30
    wait_for 10 answers fd00::216:3eff:fe00:30 || fail "it does not answer"
    $PING -q -c 3 -s 30000 fd00::216:3eff:fe00:30 >pinged || fail "$(tail -n 3 pinged)"
}
