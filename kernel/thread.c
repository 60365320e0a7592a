/* SPDX-License-Identifier: MIT
 *
 * A thread's life: its memory (stack with a guard page, thread-local storage at the stack's top),
 * create, end, join.  When it runs is sched.c's matter.
 */
#include <string.h>
#include "kernel/sched_private.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mm/address_space.h"
#include "mm/kmem.h"
#include "mm/page.h"

/* Ended threads kept with stack and guard, so that a program which creates and joins in a loop pays
 * for neither memory nor page-table updates. */
#define CACHED_MAX 4

/* All threads, a ring through `first` when there are any. Whoever leaves the ring keeps its links,
 * so that a fault report, which takes no lock, finds its way back. */
static struct {
    spinlock_t lock;
    struct thread *first;
    unsigned int count;
    struct thread *cached; /* linked by next */
    unsigned int cached_count;
} threads = { .lock = SPINLOCK_INIT_RANK(LOCK_THREADS) }; /* held: threads.lock */

static void ring_add(struct thread *thread)
{
    bool enabled = spin_lock_save(&threads.lock);

    if (threads.first) {
        thread->next = threads.first;
        thread->prev = threads.first->prev;
        store_release(&thread->prev->next,
                      thread); /* complete before a reader without lock sees it */
        thread->next->prev = thread;
    } else {
        thread->next = thread->prev = thread;
        threads.first = thread;
    }
    threads.count++;
    spin_unlock_restore(&threads.lock, enabled);
}

/* held: threads.lock */
static void ring_remove(struct thread *thread)
{
    thread->prev->next = thread->next;
    thread->next->prev = thread->prev;
    if (threads.first == thread)
        threads.first = thread->next == thread ? NULL : thread->next;
    threads.count--;
}

void thread_set_name(struct thread *thread, const char *name)
{
    size_t len = 0; /* not format_text(): a tenth of a thread's whole cost */

    while (len < sizeof(thread->name) - 1 && name[len])
        len++;
    memcpy(thread->name, name, len);
    thread->name[len] = 0;
}

void thread_init(struct thread *thread, const char *name, unsigned int priority)
{
    thread->private = NULL;
    thread->priority = thread->base_priority = priority;
    spin_lock_init(&thread->interrupt_lock, LOCK_INTERRUPT);
    thread->fifo = thread->base_fifo = thread->attention = thread->must_move = false;
    thread->async = thread->async_due = thread->interrupted = false;
    thread->cpu_ns = thread->cpu_told_ns = 0;
    memset(&thread->affinity, 0xff, sizeof(thread->affinity));
    thread->ended = thread->detached = thread->off_stack = false;
    thread->waits_for = NULL;
    list_init(&thread->holds);
    list_init(&thread->sleeping);
    waitq_init(&thread->exit);
    timer_init(&thread->timeout, waitq_timeout, thread);
    thread_set_name(thread, name);
    ring_add(thread);
}

static struct thread *cache_take(unsigned int stack_order)
{
    bool enabled = spin_lock_save(&threads.lock);
    struct thread **link = &threads.cached;
    struct thread *thread;

    while (*link && (*link)->stack_order != stack_order)
        link = &(*link)->next;
    thread = *link;
    if (thread) {
        *link = thread->next;
        threads.cached_count--;
    }
    spin_unlock_restore(&threads.lock, enabled);
    return thread;
}

static struct thread *thread_new(unsigned int stack_order)
{
    struct thread *thread = kmem_alloc(sizeof(*thread));
    char *stack = pages_alloc(stack_order);

    if (!thread || !stack || page_set_guard(stack, true)) {
        pages_free(stack, stack_order);
        kmem_free(thread);
        return NULL;
    }
    thread->stack_order = stack_order;
    thread->stack_bottom = (unsigned long)stack + PAGE_SIZE;
    thread->stack_top = (unsigned long)stack + (PAGE_SIZE << stack_order);
    return thread;
}

struct thread *thread_alloc(const char *name, unsigned int stack_order, unsigned int priority)
{
    struct thread *thread = cache_take(stack_order);
    char *tls;

    if (!thread)
        thread = thread_new(stack_order);
    if (!thread)
        return NULL;
    tls = (char *)thread->stack_top - context_tls_size();
    context_tls_init(&thread->context, tls, (void *)thread->stack_bottom);
    context_init(&thread->context, tls);
    thread_init(thread, name, priority);
    return thread;
}

void thread_free(struct thread *thread)
{
    void *stack = (void *)(thread->stack_bottom - PAGE_SIZE);
    bool enabled = spin_lock_save(&threads.lock);
    bool keep = threads.cached_count < CACHED_MAX;

    ring_remove(thread);
    if (keep) {
        thread->next = threads.cached;
        threads.cached = thread;
        threads.cached_count++;
    }
    spin_unlock_restore(&threads.lock, enabled);
    if (keep)
        return;
    if (page_set_guard(stack, false) == 0)
        pages_free(stack, thread->stack_order);
    else
        log_error("thread %s: its stack's guard page stays, and so %lu KiB are lost", thread->name,
                  PAGE_SIZE << thread->stack_order >> 10);
    kmem_free(thread);
}

/* thread_alloc(), or NULL. */
static struct thread *create(struct thread **thread, const char *name, unsigned int stack_order,
                             unsigned int priority, void (*fn)(void *arg), void *arg)
{
    struct thread *new;

    kassert(priority < PRIORITIES && stack_order > 0);
    new = thread_alloc(name, stack_order, priority);
    if (new) {
        new->fn = fn;
        new->arg = arg;
        *thread = new; /* before it runs, and perhaps ends */
    }
    return new;
}

static void start(struct thread *thread)
{
    bool enabled = upcalls_save();

    sched_start(thread);
    sched_unmask(enabled);
}

int thread_create_with(struct thread **thread, const struct thread_options *options,
                       void (*fn)(void *arg), void *arg)
{
    unsigned int stack_order = options->stack_order ? options->stack_order : THREAD_STACK_ORDER;
    struct thread *new;

    if (options->affinity && !sched_some_online(options->affinity))
        return -XEN_EINVAL;
    new = create(thread, options->name, stack_order, options->priority, fn, arg);
    if (!new)
        return -XEN_ENOMEM;
    new->fifo = new->base_fifo = options->fifo;
    if (options->affinity)
        new->affinity = *options->affinity;
    start(new);
    return 0;
}

int thread_create(struct thread **thread, const char *name, unsigned int stack_order,
                  enum thread_priority priority, void (*fn)(void *arg), void *arg)
{
    struct thread *new = create(thread, name, stack_order, priority, fn, arg);

    if (!new)
        return -XEN_ENOMEM;
    start(new);
    return 0;
}

void thread_start_service(const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread *thread;

    if (thread_create(&thread, name, KERNEL_STACK_ORDER, PRIORITY_HIGH, fn, arg))
        panic("no memory for thread %s", name);
    thread_detach(thread);
}

void thread_exit(void)
{
    struct thread *self = current_thread();

    upcalls_disable();
    kassert(sched_sleep_allowed());
    spin_lock(&self->exit.lock);
    self->ended = true;
    while (waitq_wake_one_locked(&self->exit))
        ;
    spin_unlock(&self->exit.lock);
    sched_die();
}

/* The joiner is woken while the ending thread still has its last few instructions to do on its
 * stack; it can only get here before they are done when it runs on another vCPU. */
static void off_stack_wait(struct thread *thread)
{
    while (!load_acquire(&thread->off_stack)) /* pairs with switch_finish() */
        hypercall_sched_yield();
}

static inline int join(struct thread *thread, uint64_t deadline_ns,
                       int (*sleep)(struct waitq *q, uint64_t deadline_ns))
{
    bool enabled = waitq_lock(&thread->exit);
    int rc = 0;

    kassert(thread != current_thread() && !thread->detached);
    while (!thread->ended && rc == 0)
        rc = sleep(&thread->exit, deadline_ns);
    if (thread->ended)
        rc = 0;
    waitq_unlock(&thread->exit, enabled);
    if (rc)
        return rc;
    off_stack_wait(thread);
    thread_free(thread);
    return 0;
}

int thread_join(struct thread *thread, uint64_t deadline_ns)
{
    return join(thread, deadline_ns, waitq_sleep);
}

int thread_join_interruptible(struct thread *thread, uint64_t deadline_ns)
{
    return join(thread, deadline_ns, waitq_sleep_interruptible);
}

void thread_detach(struct thread *thread)
{
    bool enabled = waitq_lock(&thread->exit);
    bool ended = thread->ended;

    kassert(!thread->detached);
    if (!ended)
        thread->detached = true; /* from the unlock on, `thread` may be gone */
    waitq_unlock(&thread->exit, enabled);
    if (ended) {
        off_stack_wait(thread);
        thread_free(thread);
    }
}

const char *thread_name(const struct thread *thread)
{
    return thread ? thread->name : "none";
}

void thread_stack_bounds(const struct thread *thread, unsigned long *bottom, unsigned long *top)
{
    *bottom = thread->stack_bottom;
    *top = thread->stack_top;
}

void thread_set_private(struct thread *thread, void *value)
{
    thread->private = value;
}

void *thread_private(const struct thread *thread)
{
    return thread->private;
}

unsigned int thread_count(void)
{
    return load_once(&threads.count);
}

bool thread_widen_affinity(char name[THREAD_NAME_MAX])
{
    bool widened = false, enabled = spin_lock_save(&threads.lock);
    struct thread *thread = threads.first;

    for (unsigned int left = threads.count; left > 0 && !widened; left--, thread = thread->next) {
        struct runq *rq = load_once(&thread->runq) ? sched_lock_thread(thread) : NULL;

        if (!rq)
            continue; /* not started yet */
        if (thread != rq->idle && !sched_some_online(&thread->affinity)) {
            memset(&thread->affinity, 0xff, sizeof(thread->affinity));
            memcpy(name, thread->name, THREAD_NAME_MAX);
            widened = true;
        }
        spin_unlock(&rq->lock);
    }
    spin_unlock_restore(&threads.lock, enabled);
    return widened;
}

/* The next thread after `thread` (NULL: the first), NULL at the end. Without lock: `left` bounds
 * the walk, should somebody else be changing the ring under it. */
static struct thread *ring_next(const struct thread *thread, unsigned int *left)
{
    struct thread *first = load_acquire(&threads.first);
    struct thread *next = thread ? load_acquire(&thread->next) : first;

    if ((thread && next == first) || (*left)-- == 0)
        return NULL;
    return next;
}

const struct thread *thread_of_guard(unsigned long address)
{
    unsigned int left = 2 * thread_count();
    const struct thread *thread = NULL;

    while ((thread = ring_next(thread, &left))) {
        if (address < thread->stack_bottom && address >= thread->stack_bottom - PAGE_SIZE)
            return thread;
    }
    return NULL;
}

void sched_each_thread(void (*print)(const struct thread *thread, const char *state,
                                     const unsigned long *frame))
{
    static const char *const names[] = { "ready", "running", "sleeping", "moving", "dead" };
    unsigned int left = 2 * thread_count();
    const struct thread *thread = NULL;

    while ((thread = ring_next(thread, &left))) {
        enum thread_state state = load_once(&thread->state);
        bool saved = state == THREAD_READY || state == THREAD_SLEEPING;

        print(thread, names[state], saved ? context_frame(&thread->context) : NULL);
    }
}
