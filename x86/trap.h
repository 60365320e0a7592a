/* SPDX-License-Identifier: MIT
 *
 * What an exception leaves on the stack, in every guest type, and who looks at it.
 */
#pragma once
#include "lib/types.h"

struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector, error_code; /* error_code is 0 where the CPU gives none */
    uint64_t rip, cs, rflags, rsp, ss;
};

#define TRAP_VECTORS 32

/* x86/trap_entry.S: an entry for each vector. */
extern const char trap_stubs[];
#define TRAP_STUB_SIZE 16
#define TRAP_STUB_POPS 3 /* bytes at its start that take rcx and r11 off the stack */

/* Every exception comes here, events masked. */
_Noreturn void trap_handle(struct trap_frame *frame);
