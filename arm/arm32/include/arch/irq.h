/* SPDX-License-Identifier: MIT
 *
 * Masking upcalls on the running vCPU: they are interrupts here (CPSR.I), and Xen does not look at
 * evtchn_upcall_mask.  Only lib/irq.h includes this.
 */
#pragma once

static inline void upcalls_disable(void)
{
    asm volatile("cpsid i" ::: "memory");
}

/* Events that came while masked are delivered before this returns. */
static inline void upcalls_enable(void)
{
    asm volatile("cpsie i\n\tisb" ::: "memory");
}

static inline bool upcalls_enabled(void)
{
    unsigned long psr;

    asm volatile("mrs %0, cpsr" : "=r"(psr)::"memory");
    return !(psr & 1 << 7);
}

/* `cpu` is another vCPU, which is not running: it starts with upcalls masked. */
static inline void upcalls_begin_masked(struct percpu *cpu)
{
    (void)cpu; /* PSCI says so */
}
