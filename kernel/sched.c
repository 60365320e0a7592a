/* SPDX-License-Identifier: MIT
 *
 * The scheduler: a run queue per vCPU, strict priorities, round robin among equals.  A thread stays
 * on its vCPU until another vCPU has nothing to do.  A better thread preempts at once; an equal one
 * when a slice ends, and the slice timer runs only while an equal one waits.  No clock is read and
 * no hypercall made on an ordinary switch (but the thread register's, see arch/context.h).
 */
#include "events/events.h"
#include "kernel/sched_private.h"
#include "lib/panic.h"

static unsigned int best_ready(const struct runq *rq)
{
    return rq->ready ? lowest_bit(rq->ready) : PRIORITIES;
}

/* held: rq->lock */
static void enqueue(struct runq *rq, struct thread *thread, bool first)
{
    struct list *queue = &rq->queue[thread->priority];

    thread->state = THREAD_READY;
    rq->ready |= 1U << thread->priority;
    if (first)
        list_add_first(queue, &thread->run);
    else
        list_add_last(queue, &thread->run);
}

/* held: rq->lock */
static inline struct thread *dequeue(struct runq *rq)
{
    struct list *queue, *item;
    unsigned int priority;

    if (!rq->ready)
        return rq->idle;
    priority = lowest_bit(rq->ready);
    queue = &rq->queue[priority];
    item = queue->next;
    list_remove(item);
    if (list_empty(queue))
        rq->ready &= ~(1U << priority);
    return list_entry(item, struct thread, run);
}

struct thread *sched_dequeue(struct runq *rq)
{
    return dequeue(rq);
}

static __attribute__((noinline)) void slice_begin(struct runq *rq)
{
    rq->slice_armed = true;
    rq->slice_started = rq->switches;
    timer_arm(&rq->slice, time_after_ns(THREAD_TIME_SLICE_NS));
}

/* This vCPU's queue. Start the slice timer if `current` has company that it may not outlast. */
static inline void slice_check(struct runq *rq, const struct thread *current)
{
    if (!rq->slice_armed && rq->ready && best_ready(rq) <= current->priority && current != rq->idle)
        slice_begin(rq);
}

/* Nobody switched for a whole slice: the current thread has had its share. */
static void slice_event(void *arg)
{
    struct runq *rq = arg;
    struct thread *current = rq->cpu->current;
    bool over;

    spin_lock(&rq->lock);
    rq->slice_armed = false;
    over = rq->slice_started == rq->switches;
    slice_check(rq, current);
    if (over && rq->slice_armed) {
        rq->slice_expired = true;
        rq->cpu->need_resched = true;
        rq->slice_started++; /* the switch to come begins the next slice */
    }
    spin_unlock(&rq->lock);
}

/* Make the vCPU of `rq` look at its queue again: when its upcall ends, or sooner. held: rq->lock */
static void kick_cpu(struct runq *rq)
{
    if (rq->cpu->current != rq->idle) /* that one looks by itself before it blocks */
        rq->cpu->need_resched = true;
    if (rq->cpu != this_percpu())
        event_notify(rq->kick_port);
}

/* The same where `rq` may be another vCPU's, or another vCPU may be idle. held: rq->lock */
static __attribute__((noinline)) void preempt_check_any(struct runq *rq,
                                                        const struct thread *thread)
{
    struct thread *current = rq->cpu->current;

    if (thread->priority < current->priority)
        kick_cpu(rq);
    else if (rq->cpu == this_percpu())
        slice_check(rq, current);
    else if (thread->priority == current->priority && !rq->slice_armed)
        kick_cpu(rq); /* timers are armed by their own vCPU */
    if (current != rq->idle)
        idle_invite(rq->cpu);
}

/* `thread` was put into `rq`: must somebody take notice? held: rq->lock */
static inline void preempt_check(struct runq *rq, const struct thread *thread)
{
    struct thread *current = rq->cpu->current;

    if (sched_several_vcpus)
        preempt_check_any(rq, thread);
    else if (thread->priority < current->priority)
        rq->cpu->need_resched = current != rq->idle;
    else
        slice_check(rq, current);
}

void sched_wake(struct thread *thread)
{
    struct runq *rq = thread->runq; /* a sleeper keeps its queue */

    spin_lock(&rq->lock);
    if (rq->cpu->current == thread) {
        thread->state = THREAD_RUNNING; /* it has not switched away yet, and will not */
    } else {
        enqueue(rq, thread, false);
        preempt_check(rq, thread);
    }
    spin_unlock(&rq->lock);
}

void sched_start(struct thread *thread, struct runq *rq)
{
    thread->runq = rq;
    spin_lock(&rq->lock);
    enqueue(rq, thread, false);
    preempt_check(rq, thread);
    spin_unlock(&rq->lock);
}

/* The first thing after each switch, on the stack of the thread switched to. */
static void switch_finish(void)
{
    struct runq *rq = this_percpu()->runq; /* not what it was before the switch */
    struct thread *dead = rq->dead;

    rq->dead = NULL;
    spin_unlock(&rq->lock);
    if (dead) {
        if (dead->detached)
            thread_free(dead);
        else
            store_release(&dead->off_stack, true); /* pairs with off_stack_wait() */
    }
}

/* Before sched_idle(), the boot thread itself waits for its wake-up. held: rq->lock, let go
 * meanwhile */
static __attribute__((noinline)) struct thread *idle_at_boot(struct runq *rq, struct thread *self)
{
    while (self->state != THREAD_RUNNING && !rq->ready) {
        spin_unlock(&rq->lock);
        hypercall_sched_block();
        upcalls_disable();
        spin_lock(&rq->lock);
    }
    return self->state == THREAD_RUNNING ? self : dequeue(rq);
}

/* This vCPU's queue, locked on entry, not on return. `prev`, the current thread, was enqueued if it
 * wants to run on. */
static void switch_to_next(struct runq *rq, struct thread *prev)
{
    struct percpu *cpu = rq->cpu;
    struct thread *next = dequeue(rq);

    if (!next)
        next = idle_at_boot(rq, prev);
    cpu->need_resched = false;
    rq->slice_expired = false;
    next->state = THREAD_RUNNING;
    slice_check(rq, next);
    if (next == prev) {
        spin_unlock(&rq->lock);
        return;
    }
    rq->switches++;
    cpu->current = next;
    context_switch(&prev->context, &next->context);
    switch_finish();
}

void sched_switch(void)
{
    struct runq *rq = this_percpu()->runq;
    struct thread *self = current_thread();

    spin_lock(&rq->lock);
    if (self == rq->idle)
        self->state = THREAD_READY;
    else if (self->state == THREAD_RUNNING)
        enqueue(rq, self, false);
    switch_to_next(rq, self);
}

void sched_die(void)
{
    struct runq *rq = this_percpu()->runq;
    struct thread *self = current_thread();

    spin_lock(&rq->lock);
    kassert(self != rq->idle);
    self->state = THREAD_DEAD;
    rq->dead = self;
    switch_to_next(rq, self);
    panic("dead thread %s runs", self->name);
}

void sched_preempt(void)
{
    struct percpu *cpu = this_percpu();
    struct thread *self = current_thread();
    struct runq *rq = cpu->runq;
    unsigned int best;

    /* The idle thread looks for itself; a thread that is on its way to sleep is about to. */
    if (!cpu->need_resched || cpu->preempt_count || !rq || self == rq->idle ||
        self->state != THREAD_RUNNING)
        return;
    kassert(cpu->upcall_depth == 0);
    spin_lock(&rq->lock);
    best = best_ready(rq);
    if (best > self->priority || (best == self->priority && !rq->slice_expired)) {
        cpu->need_resched = false;
        slice_check(rq, self);
        spin_unlock(&rq->lock);
        return;
    }
    /* Who is interrupted by a better thread goes on with its slice before its equals do. */
    enqueue(rq, self, !rq->slice_expired);
    switch_to_next(rq, self);
}

void sched_thread_entry(void)
{
    struct thread *self = current_thread();

    switch_finish();
    sched_unmask(true);
    self->fn(self->arg);
    thread_exit();
}

void thread_yield(void)
{
    bool enabled = upcalls_save();

    kassert(sched_sleep_allowed());
    sched_switch();
    sched_unmask(enabled);
}

void preempt_disable(void)
{
    bool enabled = upcalls_save(); /* or we might count on the vCPU we just left */

    this_percpu()->preempt_count++;
    upcalls_restore(enabled);
}

void preempt_enable(void)
{
    bool enabled = upcalls_save();
    struct percpu *cpu = this_percpu();

    kassert(cpu->preempt_count > 0);
    cpu->preempt_count--;
    if (cpu->upcall_depth)
        upcalls_restore(enabled);
    else
        sched_unmask(enabled);
}

bool sched_sleep_allowed(void)
{
    struct percpu *cpu = this_percpu();

    return cpu->runq && cpu->current != cpu->runq->idle && !cpu->upcall_depth &&
           !cpu->preempt_count;
}

bool may_sleep(void)
{
    bool enabled = upcalls_save();
    bool allowed = enabled && sched_sleep_allowed();

    upcalls_restore(enabled);
    return allowed;
}

void sched_queue_init(struct runq *rq, struct percpu *cpu)
{
    for (unsigned int priority = 0; priority < PRIORITIES; priority++)
        list_init(&rq->queue[priority]);
    timer_init(&rq->slice, slice_event, rq);
    rq->cpu = cpu;
}
