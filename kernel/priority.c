/* SPDX-License-Identifier: MIT
 *
 * Changing a thread's priority and affinity while it runs, waits or sleeps, on whatever vCPU.
 */
#include "kernel/sched_private.h"

void sched_set_priority(struct thread *thread, unsigned int priority, bool fifo)
{
    struct runq *rq = sched_lock_thread(thread);
    bool queued = thread->state == THREAD_READY && thread != rq->idle;

    if (queued)
        sched_remove(rq, thread);
    thread->priority = priority;
    thread->fifo = fifo;
    if (queued) {
        sched_place(thread, rq);
        return;
    }
    if (rq->cpu->current == thread) {
        store_once(&rq->running, priority);
        if (rq->ready)
            sched_kick(rq); /* it may have to give way, or to share */
    }
    spin_unlock(&rq->lock);
}

/* Has `vcpus` one that takes threads? */
bool sched_some_online(const struct vcpu_set *vcpus)
{
    for (unsigned int word = 0; word < ARRAY_SIZE(vcpus->bits); word++) {
        if (vcpus->bits[word] & load_once(&sched_vcpus.bits[word]))
            return true;
    }
    return false;
}

int thread_set_affinity(struct thread *thread, const struct vcpu_set *vcpus)
{
    struct runq *rq;
    bool enabled;

    if (!sched_some_online(vcpus))
        return -XEN_EINVAL;
    enabled = upcalls_save();
    rq = sched_lock_thread(thread);
    thread->affinity = *vcpus;
    if (thread->state == THREAD_READY && !sched_accepts(rq, thread)) {
        sched_remove(rq, thread);
        sched_place(thread, rq);
    } else {
        if (rq->cpu->current == thread) {
            thread->must_move = !sched_accepts(rq, thread);
            thread->attention = thread->must_move || thread->async_due;
            if (thread->must_move)
                sched_kick(rq);
        }
        spin_unlock(&rq->lock);
    }
    sched_unmask(enabled);
    return 0;
}

void thread_affinity(const struct thread *thread, struct vcpu_set *vcpus)
{
    bool enabled = upcalls_save();
    struct runq *rq = sched_lock_thread((struct thread *)thread);

    *vcpus = thread->affinity;
    spin_unlock(&rq->lock);
    upcalls_restore(enabled);
}

unsigned int thread_vcpu(const struct thread *thread)
{
    return load_acquire(&thread->runq)->cpu->vcpu;
}
