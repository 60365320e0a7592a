/* SPDX-License-Identifier: MIT
 *
 * Wait queues and the signal.  Who wakes and who times out both take the sleeper off the queue
 * under the queue's lock, so exactly one of them does, and it alone calls sched_wake().
 */
#include "kernel/sched_private.h"
#include "lib/panic.h"

void waitq_init(struct waitq *q)
{
    *q = (struct waitq)WAITQ_INIT(*q);
}

bool waitq_lock(struct waitq *q)
{
    spin_lock_rank(&q->lock, LOCK_WAITQ); /* libc's are zeroes at first */
    return spin_lock_save(&q->lock);
}

void waitq_unlock(struct waitq *q, bool enabled)
{
    spin_unlock(&q->lock);
    sched_unmask(enabled);
}

void waitq_end_sleep(struct thread *thread, int rc)
{
    if (list_empty(&thread->sleeping))
        return;
    list_remove(&thread->sleeping);
    thread->sleep_rc = rc;
    sched_wake(thread);
}

void waitq_timeout(void *arg)
{
    struct thread *thread = arg;
    struct waitq *q = thread->waiting; /* stays: the sleeper waits for timeout_done, see below */

    spin_lock(&q->lock);
    waitq_end_sleep(thread, -XEN_ETIMEDOUT);
    spin_unlock(&q->lock);
    store_release(&thread->timeout_done, true); /* pairs with timeout_end(); the last access */
}

/* After this the timeout's function isn't running on any vCPU. The queue's lock isn't held. */
static void timeout_end(struct thread *self)
{
    if (timer_cancel(&self->timeout))
        return;
    while (!load_acquire(&self->timeout_done)) /* another vCPU is about to */
        hypercall_sched_yield();
}

static unsigned int priority_of(const struct list *item)
{
    return load_once(&list_entry(item, struct thread, sleeping)->priority);
}

/* Better ones first; behind its equals, or before them if `first`. held: q->lock */
static __attribute__((noinline)) void line_up(struct waitq *q, struct thread *self, bool first)
{
    struct list *before = &q->sleepers; /* self goes behind this one */

    if (first) {
        while (before->next != &q->sleepers && priority_of(before->next) < self->priority)
            before = before->next;
    } else {
        do {
            before = before->prev;
        } while (before != &q->sleepers && priority_of(before) > self->priority);
    }
    list_add_after(before, &self->sleeping);
}

static inline int sleep_in(struct waitq *q, uint64_t deadline_ns, bool first)
{
    struct thread *self = current_thread();
    bool limited = deadline_ns != TIME_NEVER;

    kassert(sched_sleep_allowed());
    if (list_empty(&q->sleepers))
        list_add_first(&q->sleepers, &self->sleeping);
    else
        line_up(q, self, first);
    self->sleep_rc = 0;
    if (limited) {
        self->waiting = q;
        self->timeout_done = false;
        timer_arm(&self->timeout, deadline_ns); /* on this vCPU: not before upcalls are unmasked */
    }
    lock_order_none_but(&q->lock, "waitq_sleep()");
    self->state = THREAD_SLEEPING; /* before the unlock: who wakes us overwrites it */
    spin_unlock(&q->lock);
    sched_switch();
    if (limited)
        timeout_end(self);
    return self->sleep_rc;
}

int waitq_sleep_unlocked(struct waitq *q, uint64_t deadline_ns, bool first)
{
    return sleep_in(q, deadline_ns, first);
}

int waitq_sleep_at(struct waitq *q, uint64_t deadline_ns, bool first)
{
    int rc;

    if (deadline_ns != TIME_NEVER && deadline_ns <= time_now_ns())
        return -XEN_ETIMEDOUT;
    rc = sleep_in(q, deadline_ns, first);
    spin_lock(&q->lock);
    return rc;
}

int waitq_sleep(struct waitq *q, uint64_t deadline_ns)
{
    return waitq_sleep_at(q, deadline_ns, false);
}

struct thread *waitq_first(const struct waitq *q)
{
    return list_empty(&q->sleepers) ? NULL : list_entry(q->sleepers.next, struct thread, sleeping);
}

unsigned int waitq_wake_one_locked(struct waitq *q)
{
    struct list *item = list_take_first(&q->sleepers);

    if (!item)
        return 0;
    sched_wake(list_entry(item, struct thread, sleeping));
    return 1;
}

unsigned int waitq_wake_one(struct waitq *q)
{
    bool enabled = waitq_lock(q);
    unsigned int woken = waitq_wake_one_locked(q);

    waitq_unlock(q, enabled);
    return woken;
}

unsigned int waitq_wake_all(struct waitq *q)
{
    bool enabled = waitq_lock(q);
    unsigned int woken = 0;

    while (waitq_wake_one_locked(q))
        woken++;
    waitq_unlock(q, enabled);
    return woken;
}

void signal_init(struct signal *signal)
{
    waitq_init(&signal->q);
    signal->raised = false;
}

void signal_raise(struct signal *signal)
{
    bool enabled = waitq_lock(&signal->q);

    signal->raised = true;
    waitq_wake_one_locked(&signal->q);
    waitq_unlock(&signal->q, enabled);
}

int signal_wait(struct signal *signal, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&signal->q);
    int rc = 0;

    while (!signal->raised && rc == 0)
        rc = waitq_sleep(&signal->q, deadline_ns);
    if (signal->raised) {
        signal->raised = false;
        rc = 0;
    }
    waitq_unlock(&signal->q, enabled);
    return rc;
}
