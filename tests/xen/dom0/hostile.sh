# SPDX-License-Identifier: MIT
# For the scenarios that attack a domain: busybox sh, sourced by them after net.sh.
#
#   attacked VCPUS ATTACK ARGUMENT...   a web server of so many vCPUs suffers it, and serves as before

serves() { [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "http://10.0.2.30/$1")" = 200 ]; }
memory_free() { curl -s --max-time 5 http://10.0.2.30/stats.json | sed 's/.*"memory_free":\([0-9]*\).*/\1/'; }

attacked() {
    local vcpus=$1 before after asked=0 missed=0
    shift
    serve http 10.0.2.30 "vcpus=$vcpus"
    serves bytes/100000 || fail "it does not serve"
    before=$(memory_free)
    "$@" >attack 2>&1 &
    while [ -d "/proc/$!" ]; do
        asked=$((asked + 1))
        answers 10.0.2.30 || missed=$((missed + 1))
        usleep 700000
    done
    wait $! || fail "$*: $(tail -n 15 attack)"
    [ $missed -le $((asked / 2)) ] || fail "$missed of $asked pings not answered during it"
    # What neighbours were said to have for addresses is known to be untrue now.
    ip neigh flush dev xenbr0 >/dev/null 2>&1
    wait_for 30 answers 10.0.2.30 || fail "no answer to a ping after it"
    wait_for 60 serves bytes/100000 || fail "it does not serve any more"
    says_not error
    wait_for 60 recovered "$before" || fail "free memory: $before bytes before, $(memory_free) after"
    note "$missed of $asked pings not answered"
}
# Within what the allocators keep for the next time, and an eighth, which the receive rings may have grown to.
recovered() { after=$(memory_free) && [ "${after:-0}" -gt $(($1 - $1 / 8 - 1048576)) ]; }

# syn_flood SECONDS MICROSECONDS: from everywhere, as fast as it goes for half a second, then one in so many
# microseconds: hping3 and dom0's bridge take most of what one SYN costs the bed.
syn_flood() {
    timeout 0.5 hping3 -q -S -p 80 --flood --rand-source 10.0.2.30
    timeout "$1" hping3 -q -S -p 80 -i "u$2" --rand-source 10.0.2.30
    true    # hping3 was ended by timeout
}

# scan OPTION...: by nmap. Its own lists of names are not in the image; it wants to have some.
scan() {
    mkdir -p nmap
    echo 'http 80/tcp 0.5' >nmap/nmap-services
    echo 'tcp 6 TCP' >nmap/nmap-protocols
    printf 'Probe UDP Help q|help|\nports 7\n' >nmap/nmap-service-probes
    nmap --datadir nmap -n -Pn --min-rate 2000 "$@" 10.0.2.30
}

# port_scan PORTS: exactly the one that is open is found, and nobody is upset by odd flags or protocols.
port_scan() {
    local way
    scan -sS -p "1-$1" >scan || return 1
    cat scan
    [ "$(grep -c ' open ' scan)" = 1 ] && grep -q '^80/tcp open' scan || return 1
    for way in N F X M A W U O; do
        scan -s$way -p 60-90 || return 1
    done
    scan -sS -f -p 70-90     # in fragments that split headers; these lwIP does not put together
}

# random_packets SECONDS: at 1000/s.
random_packets() { /scenario/spray "$(vif)" 00:16:3e:00:00:1e 10.0.2.30 "$1" 1000 1; }
