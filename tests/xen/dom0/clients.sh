# SPDX-License-Identifier: MIT
# What stock clients in dom0 have to see of a domain at 10.0.2.30, by whatever door it came and whatever card it has:
# busybox sh, sourced by scenarios after net.sh. Each ends the test when it sees something else.
#
#   ping_checks           echoes of every size, by IPv4 and IPv6, and a flood
#   curl_checks VCPUS     apps/http, of so many vCPUs
#   ab_checks             apps/http
#   nc_checks             apps/netecho: streams and datagrams
#   iperf_checks          apps/iperf

# pings ADDRESS: none is lost, and nothing else comes back than was sent.
pings() {
    local size
    for size in 0 17 56 1472 1473 4000 8192 30000 65000; do
        $PING -c 3 -i 0.01 -W 5 -s $size "$1" >pinged || fail "ping -s $size $1: $(tail -n 3 pinged)"
        ! grep -q 'wrong data' pinged || fail "ping -s $size $1: $(grep 'wrong data' pinged)"
        grep -q ' 3 received' pinged || fail "ping -s $size $1: $(tail -n 3 pinged)"
    done
}

ping_checks() {
    pings 10.0.2.30
    wait_for 5 answers "$(link_local 10.0.2.30)" || fail "it does not answer by IPv6"
    pings "$(link_local 10.0.2.30)"
    $PING -q -f -c 2000 -s 1400 10.0.2.30 >pinged || fail "ping -f: $(tail -n 3 pinged)"
    grep -q ' 0% packet loss' pinged || fail "ping -f: $(tail -n 3 pinged)"
}

# code [OPTION...] URL: the status of the answer.
code() { curl -s -o /dev/null -w '%{http_code}' --max-time 20 "$@"; }

curl_checks() {
    local url=http://10.0.2.30
    curl -sSf $url/ | grep -qi '<!doctype html' || fail "no page"
    curl -sSf $url/stats.json | grep -q "\"vcpus\":$1," || fail "no figures"
    wait_for 5 answers "$(link_local 10.0.2.30)" || fail "it does not answer by IPv6"
    curl -sSf -g "http://[$(link_local 10.0.2.30)]/stats.json" | grep -q "\"vcpus\":$1," || fail "no figures by IPv6"
    expect "/nothing" "$(code $url/nothing)" 404
    expect "POST" "$(code -d x $url/)" 405
    expect "HEAD" "$(code -I $url/bytes/1000)" 200
    expect "connections for three requests" "$(curl -s -w '%{num_connects}' $url/bytes/[1-3] -o /dev/null -o /dev/null -o /dev/null)" 100
    expect "sum of 3 MB" "$(sum_of $url/bytes/3000000)" "$(pattern 3000000 | md5sum)"
    curl -sS -Z --parallel-max 50 -w '%{http_code} %{size_download}\n' "$url/bytes/[20000-20099]" -o '#1.out' |
        sort | uniq -c >sizes
    expect "right answers of 100 at a time" "$(grep -c ' 1 200 20' sizes)" 100
    expect "sum of the last of them" "$(md5sum <20099.out)" "$(pattern 20099 | md5sum)"
}

# bench REQUESTS [OPTION...]: by 64 connections, and none fails.
bench() {
    local count=$1
    shift
    ab -q -c 64 -n "$count" -s 20 "$@" http://10.0.2.30/bytes/1024 >bench 2>&1 || fail "ab $*: $(tail -n 5 bench)"
    grep -q "^Complete requests: *$count$" bench || fail "ab $*: $(grep requests bench)"
    grep -q "^Failed requests: *0$" bench || fail "ab $*: $(grep -A 1 Failed bench)"
    ! grep -q "^Non-2xx" bench || fail "ab $*: $(grep Non-2xx bench)"
    rate=$(sed -n 's/^Requests per second: *\([0-9]*\).*/\1/p' bench)
}

ab_checks() {
    bench 1000
    bench 3000 -k
    note "$rate requests/s with keep-alive"
    answers 10.0.2.30 || fail "it does not answer any more"
}

nc_checks() {
    wait_for 5 answers "$(link_local 10.0.2.30)" || fail "it does not answer by IPv6"
    dd if=/dev/urandom bs=64k count=40 of=sent 2>/dev/null
    for to in 10.0.2.30 "$(link_local 10.0.2.30)"; do
        timeout 60 nc.openbsd -N "$to" 7 <sent | cmp - sent || fail "other bytes came back from $to"
    done
    for size in 1 1472 1473 16000; do
        dd if=/dev/urandom bs=$size count=1 of=datagram 2>/dev/null
        timeout 5 nc.openbsd -u -W 1 10.0.2.30 7 <datagram | cmp - datagram || fail "datagram of $size bytes"
    done
}

# A stock iperf sends; has the domain's client send back, afterwards (-r) and at the same time (-d); sends in parallel.
# iperf 2.2 no longer says that it wants something back in the way that lwiperf understands.
iperf_checks() {
    timeout 60 iperf -c 10.0.2.30 -n 16M >sent || fail "iperf -c: $(tail -n 3 sent)"
    says "received 16777" 5            # but for its header
    if iperf -v 2>&1 | grep -q 'version 2\.[01]\.'; then
        timeout 60 iperf -c 10.0.2.30 -t 0.1 -r >back || fail "iperf -r: $(tail -n 3 back)"
        wait_for 5 said 1 " sent " || fail "iperf -r: it has not sent"
        timeout 60 iperf -c 10.0.2.30 -t 0.1 -d >dual || fail "iperf -d: $(tail -n 3 dual)"
        wait_for 5 said 2 " sent " || fail "iperf -d: it has not sent"
    fi
    timeout 60 iperf -c 10.0.2.30 -t 0.1 -P 4 >four || fail "iperf -P 4: $(tail -n 3 four)"
    says_not aborted
    says_not "could not"
    says_not "wrong data"
    note "$(sed -n 's/.* \([0-9.]* [MG]bits.*\)/\1/p' sent)"
}
