# SPDX-License-Identifier: MIT
# extra= of xl becomes argv, less the kernel's options.
# needs: hello
# limit: 40
# arch: x86_64 arm64 arm32
# short: arguments_quoted option_unknown_lists_known

# argv N: what the program got; argv[0] is its name
argv() { console_lines | sed -n "s/^argv\[$1\]: //p"; }
count() { console_lines | grep -c '^argv\['; }

# runs EXTRA [LINE...]: as it stands between the quotes of the configuration file
runs() {
    local extra=$1
    shift
    boot hello "extra='$extra'" "$@"
    says "hello: exit(0): poweroff"
    ends poweroff
}

test_arguments_none() {
    runs ''
    expect "number of arguments" "$(count)" 1
    expect 'argv[0]' "$(argv 0)" hello
}

test_arguments_quoted() {
    # xl's own parser takes every other backslash
    runs 'one "two words"   "three \\"quoted\\" words" back\\\\slash "" six\\ parts'
    expect 'argv[1]' "$(argv 1)" one
    expect 'argv[2]' "$(argv 2)" 'two words'
    expect 'argv[3]' "$(argv 3)" 'three "quoted" words'
    expect 'argv[4]' "$(argv 4)" 'back\slash'
    expect 'argv[5]' "$(argv 5)" ''
    expect 'argv[6]' "$(argv 6)" 'six parts'
    expect "number of arguments" "$(count)" 7
}

test_arguments_less_kernel_options() {
    runs '-loglevel=debug first -events=2l second -- -loglevel=error'
    expect 'argv[1]' "$(argv 1)" first
    expect 'argv[2]' "$(argv 2)" second
    expect 'argv[3]' "$(argv 3)" -loglevel=error
    expect "number of arguments" "$(count)" 4
    says_not "command line:"
}

# The other key: libxl prefers it to extra= and root=.
test_arguments_by_cmdline_key() {
    boot hello 'cmdline="by another key"'
    ends poweroff
    expect 'argv[3]' "$(argv 3)" key
    expect "number of arguments" "$(count)" 4
}

test_option_unknown_lists_known() {
    runs '-frobnicate=1 still here'
    says "unknown kernel option -frobnicate=1"
    for option in -loglevel= -events= -stack=; do
        says_line "error: *$option"
    done
    expect 'argv[1]' "$(argv 1)" still
}

test_option_bad_value_says_good_ones() {
    runs '-events=3l'
    says_line '-events=3l: the value must be .*2l.*fifo'
}

test_option_unclosed_quote() {
    runs 'a "b c'
    says_line "command line: .*without its partner"
    expect 'argv[1]' "$(argv 1)" a
}

# Xen's field has 1024 bytes, its end included; libxl cuts what is longer. 150 arguments in 1200 bytes: the kernel
# takes at most 64, and says so.
test_arguments_over_long() {
    runs "$(awk 'BEGIN { for (i = 0; i < 150; i++) printf "arg%04d ", i }')"
    says_line 'command line: '
    expect 'argv[1]' "$(argv 1)" arg0000
    expect 'argv[60]' "$(argv 60)" arg0059
    [ "$(count)" -le 128 ] || fail "$(count) arguments"
}

# One word that fills the field.
test_argument_of_1500_bytes() {
    word=$(awk 'BEGIN { for (i = 0; i < 1500; i++) printf "%c", 97 + i % 26 }')
    runs "$word"
    expect "number of arguments" "$(count)" 2
    got=$(argv 1)
    case $word in "$got"*) ;; *) fail "not the beginning of the word: $got" ;; esac
    [ ${#got} -ge 1000 ] || fail "only ${#got} bytes"
    note "${#got} bytes arrive"
}
