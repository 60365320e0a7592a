/* SPDX-License-Identifier: MIT
 *
 * Who used the CPU: the time of threads, which costs a look at the clock per switch and is kept
 * only when somebody asks, and counts of the whole system.
 */
#include "kernel/sched_private.h"

bool sched_accounting;

/* What the current thread of `rq` had since its switch: neither stolen nor told. held: rq->lock */
static uint64_t elapsed_ns(const struct runq *rq, uint64_t now_ns, uint64_t stolen_ns)
{
    uint64_t ns = now_ns - rq->switched_ns;

    stolen_ns -= rq->stolen_ns;
    return ns > stolen_ns ? ns - stolen_ns : 0;
}

void sched_account(struct runq *rq, struct thread *prev)
{
    uint64_t now_ns = time_now_ns(), stolen_ns = cpu_stolen_ns(rq->cpu);

    prev->cpu_ns += elapsed_ns(rq, now_ns, stolen_ns);
    rq->switched_ns = now_ns;
    rq->stolen_ns = stolen_ns;
}

/* Upcalls masked. */
static void begin(void)
{
    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS; vcpu++) {
        struct runq *rq = percpus[vcpu] ? percpus[vcpu]->runq : NULL;

        if (!rq)
            continue;
        spin_lock(&rq->lock);
        rq->switched_ns = time_now_ns();
        rq->stolen_ns = cpu_stolen_ns(rq->cpu);
        spin_unlock(&rq->lock);
    }
    store_release(&sched_accounting, true);
}

uint64_t thread_cpu_ns(struct thread *thread)
{
    bool enabled = upcalls_save();
    struct runq *rq;
    uint64_t ns;

    if (!sched_accounting)
        begin();
    rq = sched_lock_thread(thread);
    ns = thread->cpu_ns;
    if (rq->cpu->current == thread)
        ns += elapsed_ns(rq, time_now_ns(), cpu_stolen_ns(rq->cpu));
    if (ns < thread->cpu_told_ns)
        ns = thread->cpu_told_ns; /* time stolen from another vCPU is known only afterwards */
    thread->cpu_told_ns = ns;
    spin_unlock(&rq->lock);
    upcalls_restore(enabled);
    return ns;
}

uint64_t sched_idle_ns(unsigned int vcpu)
{
    const struct runq *rq = vcpu < MAX_VCPUS && percpus[vcpu] ? percpus[vcpu]->runq : NULL;
    int64_t ns = rq ? load_once(&rq->idle_ns) : 0;

    if (ns < 0)
        ns += (int64_t)time_now_ns();
    return (uint64_t)MAX(ns, 0);
}

void sched_get_stats(struct sched_stats *stats)
{
    *stats = (struct sched_stats){ .threads = thread_count() };
    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS; vcpu++) {
        struct runq *rq = percpus[vcpu] ? percpus[vcpu]->runq : NULL;

        if (rq) {
            stats->switches += load_once(&rq->switches);
            stats->idle_ns += sched_idle_ns(vcpu);
        }
    }
}
