/* SPDX-License-Identifier: MIT
 *
 * Interrupts there are: Xen's upcall, the timer and IPIs, all private to each vCPU.
 */
#pragma once
#include "lib/types.h"

/* The entry's code, which calls arm_interrupt(). */
extern const char interrupt[], interrupt_end[];

/* Boot: their numbers at the interrupt controller. */
void interrupt_init(unsigned int upcall, unsigned int timer);
/* On each vCPU, upcalls masked, its interrupt controller being set up: let both come. */
void interrupt_enable_self(void);
/* clock.c: what the timer's is for. */
void interrupt_set_timer(void (*handler)(void));
/* ipi.c: what one is for; `ipi` is also its number. */
void interrupt_set_ipi(unsigned int ipi, void (*handler)(void));
/* From the entry, upcalls masked. */
void arm_interrupt(void);
