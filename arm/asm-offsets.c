/* SPDX-License-Identifier: MIT
 *
 * Offsets for assembly.  Compiled to assembly only; the build turns each "#define" line into a line
 * of asm-offsets.h.
 */
#include "arch/context_frame.h"
#include "arch/trap.h"
#include "arm/smp.h"
#include "kernel/sched.h"

#define DEFINE(name, value) asm volatile("\n.ascii \"#define " #name " %c0\"" ::"i"(value))

void asm_offsets(void);
void asm_offsets(void)
{
    DEFINE(PERCPU_NEED_RESCHED, offsetof(struct percpu, need_resched));
    DEFINE(PERCPU_PREEMPT_COUNT, offsetof(struct percpu, preempt_count));
    DEFINE(TRAP_FRAME_SIZE, sizeof(struct trap_frame));
    DEFINE(TRAP_LR, offsetof(struct trap_frame, lr));
    DEFINE(TRAP_PC, offsetof(struct trap_frame, pc));
    DEFINE(TRAP_SYNDROME, offsetof(struct trap_frame, syndrome));
    DEFINE(CPU_START_CPU, offsetof(struct cpu_start, cpu));
    DEFINE(CPU_START_ENTRY, offsetof(struct cpu_start, entry));
    DEFINE(CPU_START_SP, offsetof(struct cpu_start, sp));
    DEFINE(CPU_START_TLS, offsetof(struct cpu_start, tls));
    DEFINE(CPU_START_EXCEPTION_SP, offsetof(struct cpu_start, exception_sp));
    DEFINE(CONTEXT_FRAME_SIZE, sizeof(struct context_frame));
}
