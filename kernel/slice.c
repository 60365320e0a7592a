/* SPDX-License-Identifier: MIT
 *
 * Time slices.  The timer runs only while a thread waits: with an equal one waiting, the current
 * thread goes behind it when its slice is over; a worse one is offered to other vCPUs then.  The
 * slice is the thread's own: who is interrupted by better threads loses nothing of it, and it ends
 * all the same.  Time during which Xen ran somebody else is added.
 */
#include "kernel/sched_private.h"

#define REST_IGNORED_NS (THREAD_TIME_SLICE_NS / 8)

static bool rotates(const struct runq *rq, const struct thread *current)
{
    return sched_best(rq) <= current->priority && !current->fifo;
}

void slice_consider(struct runq *rq, const struct thread *current)
{
    uint64_t now_ns;

    if (current == rq->idle || !(sched_several_vcpus || rotates(rq, current)))
        return;
    now_ns = time_now_ns();
    rq->slice_armed = true;
    rq->slice_owner = current;
    rq->slice_level = current->priority;
    rq->slice_began_ns = now_ns - cpu_stolen_ns(rq->cpu);
    timer_arm(&rq->slice, now_ns + THREAD_TIME_SLICE_NS);
}

/* Some of the slice was stolen and is still to come. held: rq->lock */
static bool prolonged(struct runq *rq)
{
    uint64_t now_ns = time_now_ns();
    uint64_t had_ns = now_ns - cpu_stolen_ns(rq->cpu) - rq->slice_began_ns;

    if (had_ns >= THREAD_TIME_SLICE_NS - REST_IGNORED_NS)
        return false;
    rq->slice_armed = true;
    timer_arm(&rq->slice, now_ns + THREAD_TIME_SLICE_NS - had_ns);
    return true;
}

/* The owner had all of it without giving the vCPU away. True: it is to be preempted. held: rq->lock
 */
static bool ended(struct runq *rq)
{
    struct level *level = &rq->level[rq->slice_level];
    struct thread *current = rq->cpu->current;
    const struct thread *owner = rq->slice_owner;

    rq->slice_owner = NULL;
    if (owner == current) {
        rq->slice_expired = rotates(rq, current);
        return rq->slice_expired;
    }
    /* A better thread runs just now, and the owner would be the next. */
    if (level->count > 1 && level->threads.next == &owner->run && !owner->fifo) {
        struct list *item = list_take_first(&level->threads);

        list_add_last(&level->threads, item);
    }
    return false;
}

static void slice_event(void *arg)
{
    struct runq *rq = arg;
    bool push = false;

    spin_lock(&rq->lock);
    rq->slice_armed = false;
    if (!rq->slice_owner || !rq->ready || !prolonged(rq)) {
        if (rq->slice_owner && ended(rq)) {
            rq->cpu->need_resched = true; /* and the switch to come begins the next slice */
        } else if (rq->ready) {
            push = sched_several_vcpus && !rotates(rq, rq->cpu->current);
            slice_check(rq, rq->cpu->current);
        }
    }
    spin_unlock(&rq->lock);
    if (push)
        sched_push(rq);
}

void slice_init(struct runq *rq)
{
    timer_init(&rq->slice, slice_event, rq);
}
