/* SPDX-License-Identifier: MIT
 *
 * Starting and stopping a vCPU on the host: test_smp.c plays it with pthreads.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/vcpu.h>
#include "arch/context.h"
#include "arch/hypercall.h"

struct percpu;

static inline int cpu_is_up(unsigned int vcpu)
{
    return (int)hypercall5(__HYPERVISOR_vcpu_op, VCPUOP_is_up, vcpu, 0, 0, 0);
}

/* Start `cpu`'s vCPU for the first time: in `entry`, on the stack and with the thread register of
 * `context`, this_percpu() being `cpu`, upcalls masked. Its vcpu_info is registered. Returns when
 * the hypercalls are made; the vCPU arrives when Xen lets it. 0 or -errno. Thread context. */
int cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void));
/* The first thing `entry` does: what a vCPU can only set up for itself. */
void cpu_start_self(void);
/* Stop the calling vCPU, upcalls masked. Returns, still masked, after cpu_restart(). */
void cpu_stop(void);
/* Stop another vCPU wherever it is. For panics: any context. */
void cpu_stop_other(unsigned int vcpu);
/* Let a vCPU that is in cpu_stop() go on. 0 or -errno. Any context. */
int cpu_restart(unsigned int vcpu);
