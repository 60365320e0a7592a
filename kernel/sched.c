/* SPDX-License-Identifier: MIT
 *
 * The scheduler: a run queue per vCPU, strict priorities, round robin among equals.  Which vCPU a
 * thread is given to is balance.c's matter.  A better thread preempts at once; an equal one when a
 * slice ends (slice.c).  No clock is read and no hypercall made on an ordinary switch (but the
 * thread register's, see arch/context.h).
 */
#include "kernel/sched_private.h"
#include "lib/panic.h"

unsigned int sched_best(const struct runq *rq)
{
    return rq->ready ? (unsigned int)__builtin_ctzll(rq->ready) : PRIORITIES;
}

/* held: rq->lock */
static inline void enqueue(struct runq *rq, struct thread *thread, bool first)
{
    struct level *level = &rq->level[thread->priority];

    thread->state = THREAD_READY;
    rq->ready |= 1ULL << thread->priority;
    level->count++;
    if (first)
        list_add_first(&level->threads, &thread->run);
    else
        list_add_last(&level->threads, &thread->run);
}

void sched_enqueue(struct runq *rq, struct thread *thread, bool first)
{
    enqueue(rq, thread, first);
}

/* The best ready thread, taken off; the idle thread when there is none. held: rq->lock */
static inline struct thread *dequeue(struct runq *rq)
{
    struct level *level;
    struct list *item;

    if (!rq->ready)
        return rq->idle;
    level = &rq->level[(unsigned int)__builtin_ctzll(rq->ready)];
    item = level->threads.next;
    level->threads.next = item->next;
    item->next->prev = &level->threads;
    if (--level->count == 0)
        rq->ready &= rq->ready - 1;
    return list_entry(item, struct thread, run);
}

void sched_remove(struct runq *rq, struct thread *thread)
{
    struct level *level = &rq->level[thread->priority];

    list_remove(&thread->run);
    if (--level->count == 0)
        rq->ready &= ~(1ULL << thread->priority);
    if (rq->slice_owner == thread)
        rq->slice_owner = NULL;
    thread->state = THREAD_MOVING;
}

struct runq *sched_lock_thread(struct thread *thread)
{
    for (;;) {
        struct runq *rq = load_acquire(&thread->runq); /* pairs with whoever moves it */

        spin_lock(&rq->lock);
        if (load_once(&thread->runq) == rq)
            return rq;
        spin_unlock(&rq->lock);
    }
}

/* Where `rq` may be another vCPU's, or another vCPU may be idle. held: rq->lock */
static __attribute__((noinline)) void check_any(struct runq *rq, const struct thread *thread)
{
    const struct thread *current = rq->cpu->current;
    bool better = thread->priority < current->priority;

    if (better)
        sched_kick(rq);
    else if (rq->cpu == this_percpu())
        slice_check(rq, current);
    else if (!rq->slice_armed)
        sched_kick(rq); /* timers are armed by their own vCPU */
    if (current != rq->idle)
        sched_invite(rq->cpu, better ? current : thread);
}

/* held: rq->lock */
static inline void check(struct runq *rq, const struct thread *thread)
{
    const struct thread *current = rq->cpu->current;

    if (sched_several_vcpus)
        check_any(rq, thread);
    else if (thread->priority < current->priority)
        rq->cpu->need_resched = current != rq->idle;
    else
        slice_check(rq, current);
}

void sched_check(struct runq *rq, const struct thread *thread)
{
    check(rq, thread);
}

/* rq->lock is held on entry, not on return. */
static inline void make_ready(struct runq *rq, struct thread *thread)
{
    if (sched_several_vcpus) {
        sched_place(thread, rq);
        return;
    }
    enqueue(rq, thread, false);
    check(rq, thread);
    spin_unlock(&rq->lock);
}

void sched_wake(struct thread *thread)
{
    struct runq *rq = thread->runq; /* a sleeper keeps its queue */

    spin_lock(&rq->lock);
    if (rq->cpu->current != thread) {
        make_ready(rq, thread);
        return;
    }
    thread->state = THREAD_RUNNING; /* it has not switched away yet, and will not */
    spin_unlock(&rq->lock);
}

void sched_start(struct thread *thread)
{
    struct runq *rq = this_percpu()->runq;

    thread->state = THREAD_MOVING;
    thread->runq = rq;
    spin_lock(&rq->lock);
    make_ready(rq, thread);
}

/* The current thread has left this vCPU for good, or for another one. held: rq->lock, not on return
 */
static __attribute__((noinline)) void part(struct runq *rq)
{
    struct thread *left = rq->left;
    bool moving = left->state == THREAD_MOVING;

    rq->left = NULL;
    if (moving && rq->left_to)
        store_release(&left->runq, rq->left_to); /* pairs with sched_lock_thread() */
    spin_unlock(&rq->lock);
    if (moving)
        sched_place_moving(left);
    else if (left->detached)
        thread_free(left);
    else
        store_release(&left->off_stack, true); /* pairs with off_stack_wait() */
}

/* The first thing after each switch, on the stack of the thread switched to. */
static inline void switch_finish(void)
{
    struct runq *rq = this_percpu()->runq; /* not what it was before the switch */

    if (rq->left)
        part(rq);
    else
        spin_unlock(&rq->lock);
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
    cpu->need_resched = next->attention | cpu->kicks_due;
    rq->slice_expired = false;
    rq->running = next->priority;
    next->state = THREAD_RUNNING;
    slice_check(rq, next);
    if (next == prev) {
        spin_unlock(&rq->lock);
        return;
    }
    rq->switches++;
    if (sched_accounting)
        sched_account(rq, prev);
    cpu->current = next;
    context_switch(&prev->context, &next->context);
    switch_finish();
}

/* The current thread goes to another queue, `to` or (NULL) where balance.c says, as soon as it is
 * off its stack. held: rq->lock */
static __attribute__((noinline)) void leave(struct runq *rq, struct thread *self, struct runq *to)
{
    self->state = THREAD_MOVING;
    self->must_move = false;
    self->attention = self->async_due;
    rq->left = self;
    rq->left_to = to;
}

/* The current thread wants to run on, but not here; or it is the idle thread, which is in no queue.
 * held: rq->lock */
static __attribute__((noinline)) void step_aside(struct runq *rq, struct thread *self)
{
    if (self == rq->idle)
        self->state = THREAD_READY;
    else
        leave(rq, self, NULL);
}

void sched_switch(void)
{
    struct runq *rq = this_percpu()->runq;
    struct thread *self = current_thread();

    spin_lock(&rq->lock);
    if (rq->slice_owner == self)
        rq->slice_owner = NULL;
    if (self->state == THREAD_RUNNING) {
        if (self->must_move)
            step_aside(rq, self);
        else
            enqueue(rq, self, false);
    }
    switch_to_next(rq, self);
}

void sched_die(void)
{
    struct runq *rq = this_percpu()->runq;
    struct thread *self = current_thread();

    spin_lock(&rq->lock);
    kassert(self != rq->idle);
    self->state = THREAD_DEAD;
    rq->left = self;
    switch_to_next(rq, self);
    panic("dead thread %s runs", self->name);
}

/* A switch from `self` to a better thread, or to an equal one if its slice is over, or because it
 * may not stay. rq->lock is held on entry, not on return. */
static void preempt(struct runq *rq, struct thread *self)
{
    unsigned int best = sched_best(rq);
    bool expired = rq->slice_expired;
    struct runq *to = NULL;

    if (!self->must_move && (best > self->priority || (best == self->priority && !expired))) {
        rq->cpu->need_resched = false;
        slice_check(rq, self);
        spin_unlock(&rq->lock);
        return;
    }
    if (expired && best == self->priority && sched_several_vcpus)
        to = sched_lighter(rq, self);
    if (to || self->must_move)
        leave(rq, self, to);
    else
        enqueue(rq, self, !expired); /* else it goes on with its slice before its equals do */
    switch_to_next(rq, self);
}

void sched_preempt(void)
{
    struct percpu *cpu = this_percpu();
    struct thread *self = current_thread();
    struct runq *rq = cpu->runq;

    if (cpu->kicks_due)
        sched_send_kicks(cpu);
    /* The idle thread looks for itself; a thread that is on its way to sleep is about to. */
    if (!cpu->need_resched || cpu->preempt_count || !rq || self == rq->idle ||
        self->state != THREAD_RUNNING)
        return;
    kassert(cpu->upcall_depth == 0);
    spin_lock(&rq->lock);
    preempt(rq, self);
    cpu = this_percpu(); /* perhaps another vCPU by now */
    if (cpu->kicks_due)  /* the thread that was here has gone to one of its own */
        sched_send_kicks(cpu);
    if (self->async_due)
        interrupt_deliver(self);
}

void sched_thread_entry(void)
{
    struct thread *self = current_thread();

    switch_finish();
    sched_unmask(true);
    self->fn(self->arg);
    thread_exit();
}

bool sched_sleep_allowed(void)
{
    struct percpu *cpu = this_percpu();

    return cpu->runq && cpu->current != cpu->runq->idle &&
           !(cpu->upcall_depth | cpu->preempt_count);
}

void thread_yield(void)
{
    bool enabled = upcalls_save();

    kassert(sched_sleep_allowed());
    sched_switch();
    sched_unmask(enabled);
}

void sched_queue_init(struct runq *rq, struct percpu *cpu)
{
    for (unsigned int priority = 0; priority < PRIORITIES; priority++)
        list_init(&rq->level[priority].threads);
    spin_lock_init(&rq->lock, LOCK_RUNQ);
    rq->running = PRIORITIES;
    rq->cpu = cpu;
    slice_init(rq);
}
