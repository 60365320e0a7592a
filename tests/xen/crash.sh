# SPDX-License-Identifier: MIT
# Programs that go wrong: the console says what, where and how it came to it, and the domain is gone.
# needs: crash unprobed
# limit: 40
# arch: x86_64 arm64 arm32
# not_arm: divide_by_zero
# not_x86: execute_where_the_image_physically_is
# short: null_dereference jump_to_null write_to_text write_to_rodata execute_data execute_heap execute_stack execute_where_the_image_physically_is fault_in_upcall stack_overflow stack_overflow_in_thread stack_smashed exit_3_is_crash
# short_xen32: stack_overflow

case $arch in
x86_64)
    digits=16
    first='rip 0[0-9a-f]\{15\} rsp 0[0-9a-f]\{15\} rflags '
    registers='rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15'
    invalid='invalid opcode (vector 6, error 0)'
    ;;
arm32)
    digits=8
    first='pc  [0-9a-f]\{8\} sp  [0-9a-f]\{8\} lr  [0-9a-f]\{8\} psr [0-9a-f]\{8\} fsr '
    registers=$(seq 0 12 | sed 's/^/r/')
    invalid='invalid opcode (status 0)'
    ;;
*)
    digits=16
    first='pc  0[0-9a-f]\{15\} sp  0[0-9a-f]\{15\} lr  0[0-9a-f]\{15\} pstate '
    registers=$(seq 0 29 | sed 's/^/x/')
    invalid='breakpoint (class 3c, syndrome f20003e8)'     # the compiler's __builtin_trap()
    ;;
esac

# crashes WAY REASON [CALL]: first and last the reason, in between the calls, with CALL among them.
crashes() {
    boot crash "extra=\"$1\"" memory=16 "vcpus=${vcpus:-1}"
    ends crash
    console_lines | grep -A100 'panic: ' >report || fail "no panic on the console"
    for line in "$(head -n 1 report)" "$(tail -n 1 report)"; do
        case $line in *"panic: $2"*) ;; *) fail "the reason is not '$2': $line" ;; esac
    done
    grep -q "  #[0-9]* ${3:-main}+0x[0-9a-f]* (0x[0-9a-f]*)$" report || fail "no call of ${3:-main}"
    grep -q '  #[0-9]* sched_thread_entry+0x' report || [ -n "$deep" ] || fail "not all calls"
}

# faults WAY REASON [CALL]: the same with registers, for exceptions.
faults() {
    crashes "$@"
    grep -q "$first" report || fail "no $first"
    for register in $registers; do
        grep -q " $register  *[0-9a-f]\{$digits\}" report || fail "no $register"
    done
}

test_null_dereference() { faults null 'null pointer dereference (write at 0x8)' null; }
test_jump_to_null() { faults jump-null 'null pointer dereference (execute at 0x0)' libc_start; }
test_write_to_text() { faults text 'page fault: write to read-only text at 0x' text; }
test_write_to_rodata() { faults rodata 'page fault: write to read-only data at 0x' rodata; }
test_execute_data() { faults execute-data 'page fault: execute of no-execute memory at 0x' libc_start; }
test_execute_heap() { faults execute-heap 'page fault: execute of no-execute memory at 0x' libc_start; }
test_execute_stack() { faults execute-stack 'page fault: execute of no-execute memory at 0x'; }
# Where further vCPUs begin, and while they do.
test_execute_where_the_image_physically_is() {
    vcpus=4 faults execute-physical 'page fault: execute at 0x4' libc_start
}
test_invalid_opcode() { faults invalid "$invalid" invalid; }
test_divide_by_zero() { faults divide 'divide error (vector 0, error 0)' divide; }
test_fault_in_upcall() { faults upcall 'null pointer dereference (write at 0x8)' in_handler; }

test_stack_overflow() { deep=yes crashes stack 'stack overflow in thread main' recurse; }
test_stack_overflow_in_thread() { deep=yes crashes thread-stack 'stack overflow in thread deep' recurse; }
# On ARM what lies above the array is the callers' frames.
test_stack_smashed() { deep=yes crashes smash 'stack smashed' smash; }
test_freed_twice() { crashes free-twice 'free(0x' free_slowly; }
test_abort() { crashes abort 'abort() called' abort; }
test_panic() { crashes panic 'asked to' panicking; }

test_assert() {
    boot crash 'extra="assert"'
    ends crash
    says_line '^apps/crash/main.c:[0-9]*: assertion(): .*1 + 1 == 3$'
    says_line '  #[0-9]* assertion+0x'
}

test_nested_panic() {
    boot crash 'extra="nested"'
    ends crash
    says "panic during the panic: null pointer dereference (read at 0x8)"
}

# Nobody probes the stack here, so Xen finds no room for the fault's own frame and ends the domain. Whether it
# says so depends on its version and log level.
test_stack_overflow_unprobed() {
    boot unprobed
    says "unprobed: goes down on Enter"
    domid=$(xl domid "$domain")
    send_console "$domain" ""
    ends crash
    if console_has "$domain" "stack overflow in thread main" 0; then
        note "reported by the guest"
    elif xl dmesg | grep -q "Domain $domid (vcpu#0) crashed"; then
        note "reported by Xen"
    else
        note "reported by nobody"
    fi
    says_not "exit("
}

# --- main's exit codes and what xl does about the end ------------------------------------------------

test_exit_0_is_poweroff() {
    boot crash 'extra="exit 0"'
    says "crash: exit(0): poweroff"
    ends poweroff
}

test_exit_3_is_crash() {
    boot crash 'extra="exit 3"'
    says "crash: exit(3): crash"
    ends crash
}

test_exit_runs_all_handlers() {
    boot crash 'extra="exit-busy"'
    says "crash: exit(0): poweroff"
    ends poweroff
    says "100 handlers ran"
    says "atexit handler ran"
}

# state NAME: xl list's flags. s: shut down, c: crashed, p: paused
state() { xl list "$1" 2>/dev/null | awk 'NR == 2 { print $5 }'; }
state_has() { case $(state "$domain") in *"$1"*) ;; *) return 1 ;; esac; }

test_on_crash_preserve() {
    boot crash 'extra="null"' 'on_crash="preserve"'
    wait_for 20 state_has sc || fail "state is $(state "$domain"), not crashed"
    says "panic: null pointer dereference"
    usleep 500000
    state_has sc || fail "not preserved"
    xl destroy "$domain"
    wait_gone "$domain" 5 || fail "cannot be destroyed"
}

test_on_poweroff_preserve() {
    boot crash 'extra="exit 0"' 'on_poweroff="preserve"'
    wait_for 20 state_has s || fail "state is $(state "$domain"), not shut down"
    ! state_has c || fail "crashed"
}

test_on_crash_restart() {
    boot crash 'extra="abort"' 'on_crash="restart"'
    wait_for 20 says_times 2 "crash: abort" || fail "the program did not run again"
}

says_times() { [ "$(console_text "$domain" | grep -c "$2")" -ge "$1" ]; }

# xl keeps quiet about a domain that spins; destroying it must work.
test_destroy_while_spinning() {
    boot crash 'extra="spin"'
    says "crash: spin"
    xl destroy "$domain" || fail "xl destroy: exit status $?"
    wait_gone "$domain" 5 || fail "still there"
}
