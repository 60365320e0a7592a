/* SPDX-License-Identifier: MIT
 *
 * What an exception leaves on its stack.
 */
#pragma once
#include <stdint.h>

struct trap_frame {
    uint64_t x[30], lr, sp, pc, pstate, syndrome, far;
};

/* Every exception comes here, interrupts masked. */
_Noreturn void trap_handle(struct trap_frame *frame);
