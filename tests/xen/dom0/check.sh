# SPDX-License-Identifier: MIT
# What the tests of a scenario use in dom0, on top of tools/bed/dom0/lib.sh; and the loop that runs
# them. busybox sh. A test is a function test_NAME; it runs in a shell of its own, passes when it
# returns 0, and is ended when its time is up. Domains it leaves behind are destroyed.
#
#   boot APP [LINE...]      create $domain (the test's name, unless the test sets it) from APP.elf;
#                           each LINE is a line of its xl configuration. Where a scenario is run again
#                           (run.py), as $again: pvh; hvm, with netfront alone; rtl: HVM with the card alone
#   boot_hvm ISO [LINE...]  the same as HVM, from a CD; what its serial port says is in /tmp/$domain.serial
#   says TEXT [SECONDS]     wait until its console has TEXT (20 s when not given), else fail
#   says_not TEXT           fail when its console has TEXT
#   says_line REGEXP        fail when no line of its console matches
#   ends REASON [SECONDS]   wait until it is gone, and for that reason, else fail
#   console_lines           all it has written, with plain line ends
#   all_up N                its end: N vCPUs came up, and nothing was wrong with any
#   down_vcpus N            so many of its vCPUs are down
#   cpu_ms                  CPU time that it has used
#   expect WHAT GOT WANT    fail unless GOT is WANT
#   fail WHY, skip WHY      end the test
#   note TEXT               put TEXT on the test's result line

fail() {
    echo "failed: $*"
    exit 1
}

skip() {
    echo "$*" >/run/test/skipped
    exit 0
}

note() { echo "$*" >/run/test/note; }

expect() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }

boot() {
    local app=$1 line
    shift
    for line; do
        shift
        case $again,$line in
        hvm,vif=*) line=$(echo "$line" | sed 's/"bridge/"type=vif,bridge/') ;;
        rtl,vif=*) line=$(echo "$line" | sed 's/,script=[^,"]*//; s/"bridge/"model=rtl8139,script=\/scenario\/vif-card,bridge/') ;;
        rtl,extra=*) line=$(echo "$line" | sed 's/"/"-net=rtl8139 /') ;;
        esac
        set -- "$@" "$line"
    done
    case $again in
    rtl) set -- "$@" 'type="hvm"' ;;
    ?*) set -- "$@" "type=\"$again\"" ;;
    esac
    echo "$domain" >>/run/test/domains
    create "$domain" "$app.elf" "$@" || fail "xl create $domain: exit status $?"
}

boot_hvm() {
    echo "$domain" >>/run/test/domains
    create "$domain" "$@" || fail "xl create $domain: exit status $?"
}

says() { console_has "$domain" "$1" "${2:-20}" || fail "$domain does not say: $1"; }
says_not() { ! console_has "$domain" "$1" 0 || fail "$domain says: $1"; }
console_lines() { console_text "$domain" | tr -d '\r'; }
says_line() { console_lines | grep -q -- "$1" || fail "no line of $domain is like: $1"; }

ends() {
    wait_gone "$domain" "${2:-20}" || fail "$domain is not gone: $(xl list "$domain" | tail -n 1)"
    wait_for 5 reason_known "$domain" || true       # xl's log may be behind
    expect "shutdown reason of $domain" "$(shutdown_reason "$domain")" "$1"
}

all_up() {
    says "hello: exit(0): poweroff" 60
    ends poweroff
    says_line "^vCPUs: *$1, $1 up$"
    says_not "vCPU "
}

down_vcpus() { [ "$(xl vcpu-list "$domain" | grep -c -- '--p')" = "$1" ]; }

# xl list's seconds, as ms.
cpu_ms() { xl list "$domain" | awk 'NR == 2 { print int($6 * 1000) }'; }

# --- the loop: what it prints between @begin and @end belongs to the test ---------------------------

# One test in this shell. Its domain is named after it.
one_test() {
    domain=${1#test_}
    "$1"
}

show_why() {
    local name
    for name in $(cat /run/test/domains 2>/dev/null); do
        echo "--- console of $name, the end"
        console_text "$name" 2>/dev/null | tr -d '\r' | tail -n 20
        echo "--- xl's log of $name"
        tail -n 3 "/var/log/xen/xl-$name.log" 2>/dev/null
    done
    echo "--- xl list, xl dmesg"
    xl list
    xl dmesg | tail -n 5
}

destroy_all() {
    local domid
    for domid in $(xenstore-list /local/domain); do
        [ "$domid" = 0 ] || xl destroy "$domid"
    done
}

# run_tests SCENARIO SECONDS TEST...
run_tests() {
    local tests=/scenario/$1.tests limit=$2 test group watcher code
    shift 2
    # However busy a domain is, xl and xenstored get the CPU when they want it.
    xl sched-credit2 -d 0 -w 65535
    for test; do
        echo "@begin $test"
        rm -rf /run/test
        mkdir -p /run/test
        setsid sh -c '. /scenario/.bed/lib.sh; . /scenario/check.sh; . "$1"; one_test "$0"' \
            "$test" "$tests" </dev/null 2>&1 &
        group=$!
        sh -c "sleep $limit; echo 'failed: no end within $limit s'; kill -KILL -$group" &
        watcher=$!
        wait "$group"
        code=$?
        kill "$watcher" 2>/dev/null
        kill -KILL "-$group" 2>/dev/null     # what it has left in the background
        [ $code = 0 ] || show_why
        destroy_all
        [ -e /run/test/skipped ] && code=skip
        echo "@end $test $code $(cat /run/test/skipped /run/test/note 2>/dev/null | head -n 1)"
    done
}
