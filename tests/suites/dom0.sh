# SPDX-License-Identifier: MIT
# Runs a list of test programs in dom0, each in a domain of its own. It is the scenario's script (its
# helpers are in tools/bed/dom0/lib.sh). The list is /scenario/list: first how many domains at a time,
# then a line per test: NUMBER IMAGE VCPUS MEMORY SECONDS ARGUMENT..., or for several that share a domain:
# together IMAGE VCPUS MEMORY SECONDS OPTION... -- NUMBER=NAME...; of these, what does not end with 0 there
# runs again in a domain of its own, and only what it does then counts.
#
# What it says: "@begin NUMBER" where one has a domain to itself; "@end NUMBER STATUS MILLISECONDS", where STATUS is what the program handed to exit(),
# "hung" when it had not ended after SECONDS, "panic" when the kernel gave up, or "none" when it just
# ended; before that, "@text NUMBER LINE" for the last lines of what did not end with 0. All that a
# domain wrote comes back as the console of tNUMBER.

# xl's own process waits for the domain's end and removes it: one process per test.
run_test() {
    local number=$1 image=$2 vcpus=$3 memory=$4 seconds=$5 name=t$1 status begin=$(now_ns)
    shift 5
    echo "@begin $number"
    domain_cfg "$name" "$image" vcpus=$vcpus memory=$memory "extra=\"$*\"" 'on_crash="destroy"' >"/run/$name.cfg"
    timeout "$seconds" xl create -F "/run/$name.cfg" >"/run/$name.create" 2>&1 </dev/null
    case $? in
    0) status=$(status_of "$name") ;;
    124|143)
        status=hung
        xl list "$name" >"/scenario/out/$name.xl" 2>&1
        xl destroy "$name" 2>/dev/null ;;
    *)
        status=create
        cp "/run/$name.create" "/scenario/out/$name.xl" ;;
    esac
    [ "$status" = 0 ] || tail -n 40 "$(console_log "$name")" | sed "s/^/@text $number /"
    echo "@end $number $status $((($(now_ns) - begin) / 1000000))"
}

STILL_S=10      # without a word: the domain that several share is given up

run_together() {
    local image=$1 vcpus=$2 memory=$3 seconds=$4 options= name item code
    shift 4
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    while [ $# -gt 0 ]; do
        name=g${1%%=*}
        domain_cfg "$name" "$image" vcpus=$vcpus memory=$memory "extra=\"$options -- together $*\"" 'on_crash="destroy"' >"/run/$name.cfg"
        xl create -F "/run/$name.cfg" >"/run/$name.create" 2>&1 </dev/null &
        wait_together "$name" $!
        # Those that passed, and the first that did not.
        while [ $# -gt 0 ]; do
            item=$1 code=$(tr -d '\r' <"$(console_log "$name")" | sed -n "s/^suite: end ${1%%=*} //p")
            shift
            if [ "$code" != 0 ]; then
                run_test "${item%%=*}" "$image" "$vcpus" "$memory" "$seconds" $options -- "${item#*=}"
                [ -n "$code" ] || break
            else
                echo "@end ${item%%=*} 0 0"
            fi
        done
    done
}

# wait_together NAME PID: until xl has seen its end, or it says nothing more.
wait_together() {
    local size= before still=0
    while [ -d "/proc/$2" ]; do
        usleep 250000
        before=$size size=$(stat -c %s "$(console_log "$1")" 2>/dev/null)
        still=$((size == before ? still + 1 : 0))
        [ $still -lt $((STILL_S * 4)) ] || { xl destroy "$1"; break; }
    done
    wait "$2"
    wait_for 2 has_ended "$(console_log "$1")"
}

# The console's daemon may be a moment behind xl.
has_ended() { tail -n 3 "$1" | grep -qa -e 'suite: exit(' -e 'panic: '; }

status_of() {
    local log code
    log=$(console_log "$1")
    wait_for 2 has_ended "$log"
    code=$(tail -n 3 "$log" | sed -n 's/.*suite: exit(\(-\?[0-9]*\)): .*/\1/p')
    if [ -n "$code" ]; then
        echo "$code"
    elif grep -qa 'panic: ' "$log"; then
        echo panic
    else
        echo none
    fi
}

# Worker $1 of $2 takes every $2-th line.
worker() {
    awk -v k="$1" -v n="$2" 'NR > 1 && NR % n == k' /scenario/list | while read -r line; do
        case $line in
        together\ *) run_together ${line#together } ;;
        *) run_test $line ;;
        esac
    done
}

read -r workers </scenario/list
for k in $(seq 0 $((workers - 1))); do
    worker "$k" "$workers" &
done
wait
