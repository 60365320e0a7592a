# SPDX-License-Identifier: MIT
# The web server from dom0: little memory, many clients, and those that take it all.
# needs: http
# limit: 200
# xen: 4.17 4.20
# arch: x86_64 arm64 arm32

# serves ADDRESS [LINE...]: the domain runs and has that address.
serves() {
    address=$1
    shift
    boot http 'vif=["bridge=xenbr0"]' "extra=\"-ip=$address/24,gw=10.0.2.2\"" "$@"
    says "vif0: $address/24" 30
}

# figure NAME: as the page would show it.
figure() { timeout 10 wget -q -O - "http://$address/stats.json" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

# ask N REQUEST SECONDS: a client that sends this and stays so long; what came is in got.N.
ask() { (printf "$2"; sleep "$3") | nc "$address" 80 >"got.$1" 2>/dev/null & }

# 64 at a time, each with an answer of 1 KiB and still there, then each with much more.
test_http_64_clients_in_5_mib() {
    serves 10.0.2.34 memory=5
    for i in $(seq 64); do
        ask "$i" 'GET /bytes/1024 HTTP/1.1\r\nHost: x\r\n\r\n' 20
    done
    wait_for 15 eval '[ "$(figure connections)" -gt 64 ]' || fail "connections: $(figure connections)"
    for i in $(seq 64); do
        wait_for 5 grep -q '^Content-Length: 1024' "got.$i" || fail "client $i got: $(cat "got.$i")"
    done
    free=$(figure memory_free)
    for i in $(seq 64); do
        wget -q -O - "http://$address/bytes/300000" 2>&1 | wc -c >"got.$i" &
        loads="$loads $!"
    done
    wait $loads
    expect "downloads that are whole" "$(cat got.* | grep -cx 300000)" 64
    note "$((free / 1024)) KiB free with 64 clients, $(($(figure memory_free) / 1024)) after 64 downloads"
    expect dropped "$(figure dropped)" 0
}

# Some ask for a TiB and take nothing, some send and send. Others are served meanwhile, and when the
# time of those is up their memory is there again.
test_http_takes_no_harm_in_8_mib() {
    serves 10.0.2.35 memory=8 vcpus=2
    figure memory_free >/dev/null
    sleep 1
    free=$(figure memory_free)
    for i in $(seq 6); do
        (printf 'GET /bytes/1099511627776 HTTP/1.1\r\nHost: x\r\n\r\n'; sleep 60) | nc "$address" 80 | sleep 60 &
        (printf 'GET /bytes/1099511627776 HTTP/1.1\r\nHost: x\r\n\r\n'; cat /dev/zero) | nc "$address" 80 | sleep 60 &
    done
    sleep 5
    for i in 1 2 3 4 5; do
        expect "bytes for others" "$(timeout 10 wget -q -O - "http://$address/bytes/300000" | wc -c)" 300000
    done
    note "free: $((free / 1024)) KiB, with 12 abusers $(($(figure memory_free) / 1024)) KiB"
    wait_for 60 eval '[ "$(figure connections)" -lt 5 ]' || fail "still $(figure connections) connections"
    sleep 1
    [ "$(figure memory_free)" -gt $((free * 11 / 20)) ] ||    # rings have grown, and packets' pages are kept
        fail "memory is gone: $free, $(figure memory_free) left"
}

# Many that begin a request and never end it.
test_http_slow_clients_go() {
    serves 10.0.2.36 memory=16
    for i in $(seq 100); do
        ask "$i" 'GET / HTTP/1.1\r\nHost: x\r\nX-a: ' 40
    done
    wait_for 20 eval '[ "$(figure connections)" -gt 80 ]' || note "connections: $(figure connections)"
    expect "bytes for others" "$(timeout 5 wget -q -O - "http://$address/bytes/300000" | wc -c)" 300000
    wait_for 30 eval '[ "$(figure connections)" -le 1 ]' || fail "still $(figure connections) connections"
    expect "told why" "$(cat got.* | grep -c '^HTTP/1.1 408 ')" 100
}
