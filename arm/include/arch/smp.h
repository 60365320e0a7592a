/* SPDX-License-Identifier: MIT
 *
 * Starting and stopping a vCPU, on ARM by PSCI.  What a vCPU needs before and after is
 * kernel/smp.c's matter.
 */
#pragma once
#include "arch/context.h"

struct percpu;

/* 1: `vcpu` is up; 0: it isn't; -XEN_ENOENT: no such vCPU. Any context. */
int cpu_is_up(unsigned int vcpu);
/* Start `cpu`'s vCPU for the first time: in `entry`, on the stack and with the thread register of
 * `context`, this_percpu() being `cpu`, upcalls masked. Its vcpu_info is registered. Returns when
 * the call is made; the vCPU arrives when Xen lets it. 0 or -errno. Thread context. */
int cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void));
/* The first thing `entry` does: what a vCPU can only set up for itself. */
void cpu_start_self(void);
/* Stop the calling vCPU, upcalls masked. Returns, still masked, after cpu_restart(). */
void cpu_stop(void);
/* Stop another vCPU wherever it is. For panics: any context. */
void cpu_stop_other(unsigned int vcpu);
/* Let a vCPU that is in cpu_stop() go on. 0 or -errno. Any context. */
int cpu_restart(unsigned int vcpu);
