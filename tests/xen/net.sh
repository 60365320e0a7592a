# SPDX-License-Identifier: MIT
# TCP/IP through netfront and dom0's bridge, with dom0's own clients.
# needs: netecho http
# limit: 90
# arch: x86_64 arm64 arm32
# xen: 4.17 4.20
# each_xen: net_ping_and_echo net_http

vif='vif=["bridge=xenbr0"]'

# alive APP ADDRESS [LINE...]: it runs and has that address.
alive() {
    local app=$1 address=$2
    shift 2
    boot "$app" "$vif" "extra=\"-ip=$address/24,gw=10.0.2.2\"" "$@"
    says "vif0: $address/24, gateway 10.0.2.2" 30
    expect "data/net/0/ip" "$(xenstore-read "/local/domain/$(xl domid "$domain")/data/net/0/ip")" "$address/24"
}

ping_sizes() {
    for size in 56 1472 1473 65000; do
        ping -c 3 -w 20 -s $size "$1" >pinged || fail "ping -s $size: $(tail -n 3 pinged)"
    done
}

test_net_ping_and_echo() {
    alive netecho 10.0.2.30
    ping_sizes 10.0.2.30
    head -c 3000000 /dev/urandom >sent
    (cat sent; sleep 3) | nc -w 4 10.0.2.30 7 >got
    cmp sent got || fail "other bytes came back"
}

# By the address that a router's prefix made, if there is a router (QEMU's is one).
test_net_ping6() {
    alive netecho 10.0.2.33
    says "vif0: fec0::" 20
    address=$(console_lines | sed -n 's/^vif0: \(fec0:.*\)/\1/p')
    ip -6 addr add fec0::99/64 dev xenbr0
    sleep 2
    for size in 56 3000 60000; do
        ping6 -c 3 -w 20 -s $size "$address" >pinged || fail "ping6 -s $size: $(tail -n 3 pinged)"
    done
}

test_net_echo_4_vcpus() {
    alive netecho 10.0.2.31 vcpus=4
    head -c 3000000 /dev/urandom >sent
    (cat sent; sleep 3) | nc -w 4 10.0.2.31 7 >got
    cmp sent got || fail "other bytes came back"
}

# status PATH: the first line of the answer.
status() { printf 'GET %s HTTP/1.0\r\n\r\n' "$1" | nc -w 5 10.0.2.32 80 | head -n 1 | tr -d '\r'; }

test_net_http() {
    alive http 10.0.2.32
    expect / "$(status /)" "HTTP/1.1 200 OK"
    expect /nothing "$(status /nothing)" "HTTP/1.1 404 Not Found"
    expect nonsense "$(echo nonsense | nc -w 5 10.0.2.32 80 | head -n 1 | tr -d '\r')" "HTTP/1.1 400 Bad Request"
    expect POST "$(printf 'POST / HTTP/1.0\r\n\r\n' | nc -w 5 10.0.2.32 80 | head -n 1 | tr -d '\r')" \
        "HTTP/1.1 405 Method Not Allowed"
    wget -q -O bytes http://10.0.2.32/bytes/5000000 || fail "wget: exit status $?"
    expect size "$(wc -c <bytes)" 5000000
    wget -q -O - http://10.0.2.32/stats.json | grep -q '"vcpus":1,' || fail "no figures"
    xl shutdown -w "$domain"
    ends poweroff
}
