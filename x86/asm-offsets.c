/* SPDX-License-Identifier: MIT
 *
 * Offsets for assembly.  Compiled to assembly only; the build turns each "#define" line into a line
 * of asm-offsets.h.
 */
#include "kernel/sched.h"
#include "x86/trap.h"

#define DEFINE(name, value) asm volatile("\n.ascii \"#define " #name " %c0\"" ::"i"(value))

void asm_offsets(void);
void asm_offsets(void)
{
    DEFINE(PERCPU_NEED_RESCHED, offsetof(struct percpu, need_resched));
    DEFINE(PERCPU_PREEMPT_COUNT, offsetof(struct percpu, preempt_count));
    DEFINE(PERCPU_UPCALL_PENDING,
           offsetof(struct percpu, vcpu_info) + offsetof(struct vcpu_info, evtchn_upcall_pending));
    DEFINE(PERCPU_UPCALL_MASK,
           offsetof(struct percpu, vcpu_info) + offsetof(struct vcpu_info, evtchn_upcall_mask));
    DEFINE(FRAME_CS, offsetof(struct trap_frame, cs));
    DEFINE(FRAME_RIP, offsetof(struct trap_frame, rip));
}
