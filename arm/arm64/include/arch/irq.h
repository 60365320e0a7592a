/* SPDX-License-Identifier: MIT
 *
 * Masking upcalls on the running vCPU: they are interrupts here (PSTATE.I), and Xen does not look
 * at evtchn_upcall_mask.  Only lib/irq.h includes this.
 */
#pragma once

static inline void upcalls_disable(void)
{
    asm volatile("msr daifset, #2" ::: "memory");
}

/* Events that came while masked are delivered before this returns. */
static inline void upcalls_enable(void)
{
    asm volatile("msr daifclr, #2\n\tisb" ::: "memory");
}

static inline bool upcalls_enabled(void)
{
    unsigned long daif;

    asm volatile("mrs %0, daif" : "=r"(daif)::"memory");
    return !(daif & 1 << 7);
}

/* `cpu` is another vCPU, which is not running: it starts with upcalls masked. */
static inline void upcalls_begin_masked(struct percpu *cpu)
{
    (void)cpu; /* PSCI says so */
}
