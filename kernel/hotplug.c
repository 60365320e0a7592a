/* SPDX-License-Identifier: MIT
 *
 * The scheduler's part of stopping a vCPU: threads and timers leave it.
 */
#include <string.h>
#include "kernel/ipi.h"
#include "kernel/sched_private.h"
#include "lib/log.h"
#include "lib/panic.h"

static void (*park_fn)(void);

void sched_set_park(void (*park)(void))
{
    park_fn = park;
}

/* Threads that wait there go elsewhere. Upcalls masked. */
static void drain(struct runq *rq)
{
    for (;;) {
        struct thread *thread;

        spin_lock(&rq->lock);
        if (!rq->ready) {
            spin_unlock(&rq->lock);
            return;
        }
        thread = list_entry(rq->level[sched_best(rq)].threads.next, struct thread, run);
        sched_remove(rq, thread);
        spin_unlock(&rq->lock);
        sched_place_moving(thread);
    }
}

void sched_cpu_leave(struct percpu *cpu)
{
    struct runq *rq = cpu->runq;
    char name[THREAD_NAME_MAX];
    bool enabled = upcalls_save();

    kassert(cpu->vcpu != 0);
    vcpu_set_remove(&sched_vcpus, cpu->vcpu);
    spin_lock(&rq->lock);
    cpu->leaving = true; /* from here on nobody puts a thread into the queue */
    sched_idle_end(cpu->vcpu);
    if (cpu->current != rq->idle)
        cpu->current->must_move = cpu->current->attention = true;
    sched_kick(rq);
    spin_unlock(&rq->lock);
    drain(rq);
    sched_unmask(enabled);
    while (thread_widen_affinity(name))
        log_warn("vCPU %u goes offline: thread %s, bound to it, may run everywhere", cpu->vcpu,
                 name);
}

void sched_cpu_rejoin(void)
{
    struct percpu *cpu = this_percpu();

    spin_lock(&cpu->runq->lock);
    cpu->leaving = false;
    spin_unlock(&cpu->runq->lock);
    vcpu_set_add(&sched_vcpus, cpu->vcpu);
}

void sched_park(struct runq *rq)
{
    timer_cancel(&rq->slice);
    rq->slice_armed = false;
    timers_move(rq->cpu->timers, percpus[0]->timers);
    ipi_send(0, IPI_KICK);
    park_fn();
}
