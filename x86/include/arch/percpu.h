/* SPDX-License-Identifier: MIT
 *
 * The running vCPU's percpu, through GS.  A thread may move to another vCPU between two
 * instructions, so each of these is one instruction; what it says holds only while upcalls are
 * masked or preemption is off, except `current`, which is the same on every vCPU.
 * Only lib/percpu.h includes this.
 */
#pragma once

static inline struct percpu *this_percpu(void)
{
    struct percpu *self;

    asm volatile("movq %%gs:0, %0" : "=r"(self));
    return self;
}

static inline struct thread *current_thread(void)
{
    struct thread *thread;

    asm volatile("movq %%gs:%c1, %0" : "=r"(thread) : "i"(offsetof(struct percpu, current)));
    return thread;
}
