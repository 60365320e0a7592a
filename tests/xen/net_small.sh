# SPDX-License-Identifier: MIT
# A web server in little memory: it serves many at once, and what clients do not fetch does not fill it.
# needs: http
# limit: 100
# arch: x86_64 arm64 arm32
# again: pvh
# xen: 4.17 4.20

# starts MIB [LINE...]: http with so much memory.
starts() {
    local mib=$1
    shift
    boot http 'vif=["bridge=xenbr0"]' 'extra="-ip=10.0.2.30/24"' "memory=$mib" "$@"
    says "vif0: 10.0.2.30/24" 30
    wait_for 10 answers || fail "no answer"
}
answers() { timeout 10 wget -q -O /dev/null http://10.0.2.30/stats.json; }

# fetch COUNT BYTES: at once, each with all its bytes.
fetch() {
    for n in $(seq "$1"); do
        (timeout 30 wget -q -O - "http://10.0.2.30/bytes/$2" | wc -c >"got.$n") &
    done
    wait
    for n in $(seq "$1"); do
        expect "bytes of $n" "$(cat "got.$n")" "$2"
    done
}

serves() {
    starts "$@"
    fetch 1 1000000
    fetch 16 200000
    note "$(timeout 10 wget -q -O - http://10.0.2.30/stats.json)"
    says_not error
    xl shutdown "$domain"
    ends poweroff
}

test_small_5_mib() { serves 5; }
test_small_8_mib() { serves 8; }
test_small_8_mib_4_vcpus() {
    echo 8 >/sys/module/xen_netback/parameters/max_queues
    serves 8 vcpus=4
}

# Forty who ask for much and read nothing: others are still served.
test_small_clients_that_do_not_read() {
    starts 8
    for n in $(seq 40); do
        (printf 'GET /bytes/5000000 HTTP/1.0\r\n\r\n'; sleep 30) | nc 10.0.2.30 80 | sleep 30 &
    done
    sleep 5
    fetch 2 100000
    note "$(timeout 10 wget -q -O - http://10.0.2.30/stats.json)"
    says_not panic
    kill $(jobs -p) 2>/dev/null
    xl shutdown "$domain"
    ends poweroff
}
