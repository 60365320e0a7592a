# SPDX-License-Identifier: MIT
# The PV console: what is typed arrives, what is written arrives whole and in order, and a daemon
# that doesn't read holds nobody up for long.
# needs: echo flood
# limit: 90
# arch: x86_64 arm64 arm32
# short: console_echoes_lines console_raw_bytes

test_console_echoes_lines() {
    boot echo
    send_console "$domain" "hello there"
    says "echo: hello there"
    send_console "$domain" 'ümlaut "quotes" $dollar \backslash'
    says 'echo: ümlaut "quotes" $dollar \backslash'
    ctrl_d
    says "echo: exit(0): poweroff"
    ends poweroff
}

ctrl_d() { printf '\004' >"$(console_tty "$domain")"; }

# What Backspace takes away is not in the line.
test_console_line_editing() {
    boot echo
    wait_for 10 has_console_tty "$domain" || fail "no tty"
    printf 'abX\177c\n' >"$(console_tty "$domain")"
    says "echo: abc"
    ctrl_d
    ends poweroff
}

# As a person does it: the program that xl console becomes.
test_console_by_xl_console() {
    boot echo
    wait_for 10 has_console_tty "$domain" || fail "no tty"
    mkfifo in
    /usr/lib/xen/bin/xenconsole --interactive --type pv "$(xl domid "$domain")" <in >out.txt 2>&1 &
    exec 4>in
    echo "typed into xl console" >&4
    wait_for 20 grep -q "echo: typed into xl console" out.txt || {
        cat out.txt
        fail "no answer in xl console"
    }
    printf '\004' >&4
    ends poweroff
    wait_for 5 grep -q "echo: exit(0): poweroff" out.txt || fail "xl console misses the last line"
}

test_console_raw_bytes() {
    boot echo 'extra="raw"'
    wait_for 10 has_console_tty "$domain" || fail "no tty"
    sleep 1
    printf 'a\001\r' >"$(console_tty "$domain")"
    says "61 a"
    says "01 ."
    says "0d ."
    ctrl_d
    ends poweroff
}

# Far more than the ring's 1024 bytes.
test_console_input_64k() {
    boot echo 'extra="count"'
    says ready
    awk 'BEGIN { for (i = 0; i < 4096; i++) printf "0123456789abcdef" }' >"$(console_tty "$domain")"
    ctrl_d
    says "65536 bytes, sum $((4096 * (48 * 10 + 45 + 97 * 6 + 15)))" 60
    ends poweroff
}

# lines N: what flood writes
lines() {
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
        printf "line %08d abcdefghijklmnopqrstuvwxyz 0123456789 %011d\n", i, i * 7919 % 99999989 }'
}

test_console_output_1_mib_whole() {
    boot flood 'extra="16384"'
    says "flood: exit(0): poweroff" 80
    ends poweroff
    console_lines | grep -v '^flood: ' >got
    lines 16384 >want
    expect "bytes" "$(stat -c %s want)" 1048576
    cmp got want || { diff want got | head -n 10; fail "what arrived is not what was written"; }
    note "$(stat -c %s got) bytes"
}

# While the daemon is stopped the ring stays full: the domain goes on after a bounded wait, and says how much
# was lost when it can.
test_console_nobody_reads() {
    daemon=$(cat /run/xenconsoled.pid)
    create_paused=-p
    boot flood 'extra="4000"'
    wait_for 10 has_console_tty "$domain" || fail "no tty"
    kill -STOP "$daemon"
    xl unpause "$domain"
    wait_for 30 shut_down
    code=$?
    kill -CONT "$daemon"
    [ $code = 0 ] || fail "the domain waits for its console"
    ends poweroff
}

# The domain is shut down, or a zombie whose pages the daemon still holds.
shut_down() { [ "$(shutdown_reason "$domain")" = poweroff ]; }

test_console_drop_is_counted() {
    daemon=$(cat /run/xenconsoled.pid)
    boot flood
    says "line 00000100"
    kill -STOP "$daemon"
    sleep 4
    kill -CONT "$daemon"
    says_dropped || fail "no word of what was lost"
    xl destroy "$domain"
    console_lines | grep -i 'drop\|lost' | head -n 1
}

says_dropped() {
    wait_for 20 grep -qsa 'bytes.* \(dropped\|lost\)\|\(dropped\|lost\).* bytes' "$(console_log "$domain")"
}
