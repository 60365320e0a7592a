# SPDX-License-Identifier: MIT
# The domain's own view of xenstore, and dom0's of what it writes.
# needs: xenstore
# limit: 40
# arch: x86_64 arm64 arm32
# short: xenstore_ls xenstore_watch

home() { echo "/local/domain/$(xl domid "$domain")"; }

# ask COMMAND TEXT: type a command, wait for the answer
ask() {
    send_console "$domain" "$1"
    says "$2"
}

starts() {
    boot xenstore
    says "quit"
}

test_xenstore_ls() {
    starts
    ask "ls $(home)" domid
    for key in name vm console control device memory; do
        says_line "^$key$"
    done
    send_console "$domain" quit
    ends poweroff
}

test_xenstore_read() {
    starts
    xenstore-write "$(home)/data/from-dom0" "a value with spaces"
    ask "read data/from-dom0" "a value with spaces"
    ask "read name" "$domain"
    ask "read data/none" ENOENT
}

test_xenstore_write() {
    starts
    send_console "$domain" "write data/from-guest 4711"
    wait_for 20 value_is data/from-guest 4711 || fail "dom0 reads $(xenstore-read "$(home)/data/from-guest")"
    send_console "$domain" "rm data/from-guest"
    wait_for 20 is_missing data/from-guest || fail "still there after rm"
    ask "write /local/domain/0/name mine" EACCES
    expect "dom0's name" "$(xenstore-read /local/domain/0/name)" Domain-0
}

value_is() { [ "$(xenstore-read "$(home)/$1" 2>/dev/null)" = "$2" ]; }
is_missing() { ! xenstore-exists "$(home)/$1"; }

test_xenstore_watch() {
    starts
    xenstore-write "$(home)/data/watched" 0
    ask "watch data/watched" "changed: data/watched"
    for value in 1 2 3; do
        before=$(changes)
        xenstore-write "$(home)/data/watched" $value
        wait_for 20 changed_since "$before" || fail "change $value is not seen"
    done
    xenstore-write "$(home)/data/watched/below" x
    says "changed: data/watched/below"
}

changes() { console_lines | grep -c '^changed: '; }
changed_since() { [ "$(changes)" -gt "$1" ]; }

# More names than one answer of 4096 bytes holds: dom0 writes them, several with each call.
test_xenstore_ls_large() {
    starts
    awk 'BEGIN { for (i = 0; i < 300; i++) printf "entry-with-a-long-name-%05d\n", i }' >names
    awk -v "many=$(home)/data/many" '{ print many "/" $1, 1 }' names | xargs -n 100 xenstore-write
    ask "ls data/many" entry-with-a-long-name-00299
    console_lines | grep '^entry-with' | sort | cmp - names || fail "not all 300 names"
}
