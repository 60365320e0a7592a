/* SPDX-License-Identifier: MIT
 *
 * What an exception leaves on its stack.
 */
#pragma once
#include <stdint.h>

struct trap_frame {
    uint32_t r[13], lr, sp, pc, psr; /* r11: the frame pointer */
    uint32_t kind;                   /* enum trap_kind */
    uint32_t syndrome, far;          /* of aborts: fault status, address */
};

/* The numbers are those of the entry's vectors. */
enum trap_kind { TRAP_RESET, TRAP_UNDEFINED, TRAP_CALL, TRAP_FETCH, TRAP_DATA, TRAP_HYP };

/* Every exception comes here, interrupts masked. */
_Noreturn void trap_handle(struct trap_frame *frame);
