# SPDX-License-Identifier: MIT
# What the toolstack asks for by control/shutdown, and does after it.
# needs: hello crash flood xenstore
# limit: 60
# arch: x86_64 arm64 arm32
# short: xl_shutdown xl_reboot
# short_xen32: xl_reboot

path() { echo "/local/domain/$(xl domid "$domain")/control/$1"; }
feature_is() { [ "$(xenstore-read "$(path "$1")" 2>/dev/null)" = 1 ]; }
sleeps() {
    boot crash 'extra="sleep"' "$@"
    says sleeping
}

test_features_published() {
    sleeps
    for feature in feature-poweroff feature-reboot; do
        wait_for 10 feature_is "$feature" || fail "control/$feature is not 1"
    done
}

test_xl_shutdown() {
    sleeps
    xl shutdown -w "$domain" || fail "xl shutdown: exit status $?"
    says "crash: exit(0): poweroff"
    says "atexit handler ran"
    ends poweroff
}

# Asked before the program, and perhaps the watch, is there.
test_xl_shutdown_at_once() {
    create_paused=-p
    boot crash 'extra="sleep"'
    xl shutdown "$domain" &         # waits until the domain has acknowledged it
    wait_for 10 requested || fail "no request"
    xl unpause "$domain"
    says "crash: exit(0): poweroff"
    ends poweroff
}

requested() { [ "$(xenstore-read "$(path shutdown)" 2>/dev/null)" = poweroff ]; }

test_xl_shutdown_while_spinning() {
    boot crash 'extra="spin"'
    says "crash: spin"
    xl shutdown -w "$domain" || fail "xl shutdown: exit status $?"
    ends poweroff
}

test_xl_shutdown_during_output() {
    boot flood
    says "line 00000500"
    xl shutdown "$domain" || fail "xl shutdown: exit status $?"
    ends poweroff 30
    says "flood: exit(0): poweroff"
}

# The same program runs again, in a new domain of the same name.
test_xl_reboot() {
    sleeps 'on_reboot="restart"'
    first=$(xl domid "$domain")
    xl reboot "$domain" || fail "xl reboot: exit status $?"
    wait_for 30 restarted || fail "not restarted: $(xl list "$domain" | tail -n 1)"
    says "crash: exit(0): reboot"
    xl shutdown -w "$domain" || fail "xl shutdown of the second: exit status $?"
    says "crash: exit(0): poweroff"
    ends poweroff
}

restarted() {
    domid=$(xl domid "$domain" 2>/dev/null) && [ "$domid" != "$first" ] &&
        [ "$(console_text "$domain" | grep -c sleeping)" = 2 ]
}

test_xl_reboot_on_reboot_destroy() {
    sleeps 'on_reboot="destroy"'
    xl reboot "$domain" || fail "xl reboot: exit status $?"
    ends reboot
}

# Programs that end by themselves when asked.
test_program_is_told_by_callback() {
    boot crash 'extra="callback"'
    says waiting
    xl shutdown -w "$domain" || fail "xl shutdown: exit status $?"
    says "told: poweroff"
    says "crash: exit(0): poweroff"
    ends poweroff
}

test_program_polls() {
    boot crash 'extra="poll"' 'on_reboot="destroy"'
    says waiting
    xl reboot "$domain" || fail "xl reboot: exit status $?"
    says "seen: reboot"
    says "crash: exit(0): reboot"
    ends reboot
}

test_request_is_acknowledged() {
    sleeps
    xenstore-write "$(path shutdown)" nonsense
    wait_for 10 acknowledged || fail "control/shutdown is still $(xenstore-read "$(path shutdown)")"
    says "nonsense"
    says_not "exit("
    xl shutdown -w "$domain" || fail "xl shutdown: exit status $?"
    ends poweroff
}

acknowledged() { [ -z "$(xenstore-read "$(path shutdown)")" ]; }

test_pause_unpause() {
    boot flood
    says "line 00000100"
    xl pause "$domain"
    usleep 300000
    before=$(console_text "$domain" | wc -c)
    usleep 500000
    expect "bytes while paused" "$(console_text "$domain" | wc -c)" "$before"
    xl unpause "$domain"
    wait_for 10 grown || fail "does not go on"
}

grown() { [ "$(console_text "$domain" | wc -c)" -gt $((before + 1000)) ]; }
