/* SPDX-License-Identifier: MIT
 *
 * vCPU 0's percpu is there before any memory is, and the list of all.  Stolen time: Xen
 * public/vcpu.h.
 */
#include "lib/percpu.h"

struct percpu percpu_boot = { .self = &percpu_boot };
struct percpu *percpus[MAX_VCPUS]; /* the first: boot/start.c */
struct vcpu_set vcpus_online = { { 1 } };

uint64_t cpu_stolen_ns(const struct percpu *cpu)
{
    const struct vcpu_runstate_info *runstate = &cpu->runstate;
    uint64_t entered_ns, stolen_ns;

    do { /* Xen writes the record when it switches the vCPU, perhaps meanwhile */
        entered_ns = load_acquire(&runstate->state_entry_time);
        stolen_ns = load_once(&runstate->time[RUNSTATE_runnable]) +
                    load_once(&runstate->time[RUNSTATE_offline]);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (entered_ns != load_once(&runstate->state_entry_time));
    return stolen_ns;
}
