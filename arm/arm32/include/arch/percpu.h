/* SPDX-License-Identifier: MIT
 *
 * The running vCPU's percpu, in TPIDRPRW.  A thread may move to another vCPU between two
 * instructions, so what it says holds only while upcalls are masked or preemption is off.
 * `current` is not read from there, which would take two: the thread register leads to it, in the
 * second word of what the ABI reserves behind it (arm/context.c).  Only lib/percpu.h includes this.
 */
#pragma once

static inline struct percpu *this_percpu(void)
{
    struct percpu *self;

    asm volatile("mrc p15, 0, %0, c13, c0, 4" : "=r"(self));
    return self;
}

static inline struct thread *current_thread(void)
{
    struct thread **control;

    asm volatile("mrc p15, 0, %0, c13, c0, 3" : "=r"(control));
    return control[1];
}
