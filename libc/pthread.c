/* SPDX-License-Identifier: MIT
 *
 * POSIX threads: their beginning and their end.  Each is a thread of the kernel with what POSIX
 * adds to it, struct pthread.  pthread_exit() ends a thread from however deep it is in calls.
 */
#define _GNU_SOURCE
#include <reent.h>
#include <stdlib.h>
#include "lib/panic.h"
#include "libc/internal.h"
#include "libc/pthread_private.h"
#include "mm/kmem.h"
#include "mm/page.h"

/* Threads whose program part goes on: main and those of pthread_create(). */
static unsigned int running = 1;

/* For who joins main or a thread that pthread_create() did not make. */
static struct waitq adopted_end = WAITQ_INIT(adopted_end);

static void run_on_own_stack(void *arg)
{
    struct pthread *self = arg;

    libc_thread_finish(self->fn(self->arg));
}

static void run(void *arg)
{
    struct pthread *self = arg;

    thread_set_private(self->thread, self);
    if (self->born_detached)
        thread_detach(self->thread);
    memory_barrier(); /* libc_notify() looks for self->thread after it stored what is pending */
    if (load_once(&self->pending) & ~self->mask)
        libc_signals_deliver(self, NULL);
    thread_allow_async(true);
    if (self->has_stack) /* by malloc(), maybe: its end need not be aligned as a CPU wants it */
        context_call_on_stack(self->stackaddr,
                              self->stacksize - ((uintptr_t)self->stackaddr + self->stacksize) % 16,
                              run_on_own_stack, self);
    libc_thread_finish(self->fn(self->arg));
}

/* A thread's name when it has none of its own, and what it inherits. */
static const char *inherit(struct pthread *new, const pthread_attr_t *attr)
{
    struct pthread *self = libc_self();

    new->mask = self->mask;
    new->policy = self->policy;
    new->priority = self->priority;
    if (attr && attr->__inheritsched == PTHREAD_EXPLICIT_SCHED) {
        new->policy = attr->__policy;
        new->priority = attr->__param.sched_priority;
    }
    return "pthread";
}

/* Pages for a stack of `size` bytes and its guard page, as a power of 2. */
static unsigned int stack_order(size_t size)
{
    unsigned int order = 1;

    while (order < 32 && (PAGE_SIZE << order) - PAGE_SIZE < size)
        order++;
    return order;
}

static int start(struct pthread *new, const pthread_attr_t *attr)
{
    struct thread_options options = { .name = inherit(new, attr),
                                      .fifo = new->policy == SCHED_FIFO };
    struct vcpu_set affinity;
    int rc;

    if (libc_check_scheduling(new->policy, new->priority))
        return EINVAL;
    options.priority = libc_kernel_priority(new->policy, new->priority);
    thread_affinity(current_thread(), &affinity); /* inherited, as in Linux */
    options.affinity = &affinity;
    if (attr) {
        new->detached = new->born_detached = attr->__detachstate == PTHREAD_CREATE_DETACHED;
        new->has_stack = attr->__stackaddr != NULL;
        new->stackaddr = attr->__stackaddr;
        new->stacksize = attr->__stacksize;
        new->guardsize = attr->__guardsize;
        if (!new->has_stack &&new->stacksize)
            options.stack_order = stack_order(new->stacksize);
        if (attr->__has_affinity)
            libc_vcpu_set(&affinity, &attr->__affinity, sizeof(attr->__affinity));
    }
    (void)atomic_fetch_add(&running, 1);
    rc = thread_create_with(&new->thread, &options, run, new); /* then `new` may be gone */
    if (rc) {
        (void)atomic_fetch_sub(&running, 1);
        return rc == -XEN_EINVAL ? EINVAL : EAGAIN;
    }
    return 0;
}

int pthread_create(pthread_t *handle, const pthread_attr_t *attr, void *(*fn)(void *arg), void *arg)
{
    struct pthread *new;
    bool enabled;
    int rc;

    if (attr && attr->__valid != LIBC_VALID)
        return EINVAL;
    new = libc_thread_new();
    if (!new)
        return EAGAIN;
    new->fn = fn;
    new->arg = arg;
    *handle = new->handle; /* before it runs */
    rc = start(new, attr);
    if (rc) {
        enabled = spin_lock_save(&libc_threads_lock);
        libc_thread_forget(new, enabled);
    }
    return rc;
}

/* Handlers, keys, and main's exit() when this was the last. */
static void finish_program_part(struct pthread *self)
{
    struct _pthread_cleanup_context *handler;

    libc_signals_deliver(self, NULL); /* those it was too busy for, in a library perhaps */
    store_once(&self->exiting, true);
    while ((handler = self->cleanup) != NULL) {
        self->cleanup = handler->_previous;
        handler->_routine(handler->_arg);
    }
    if (self->values)
        libc_run_destructors(self);
    if ((!self->adopted || self->thread == libc_main_thread()) &&
        atomic_fetch_sub(&running, 1) == 1)
        exit(0);
}

void libc_thread_finish(void *result)
{
    struct pthread *self = libc_self();
    bool enabled;

    finish_program_part(self);
    thread_allow_async(false);
    timer_cancel(&self->retry);
    _reclaim_reent(_REENT);
    self->result = result;
    enabled = spin_lock_save(&libc_threads_lock);
    list_remove(&self->all);
    self->ended = true;
    libc_signals_forget(self);
    if (self->detached)
        libc_thread_forget(self, enabled);
    else
        spin_unlock_restore(&libc_threads_lock, enabled);
    if (self->adopted)
        waitq_wake_all(&adopted_end);
    thread_exit();
}

void pthread_exit(void *result)
{
    libc_thread_finish(result);
}

static int wait_for_adopted(struct pthread *target, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&adopted_end);
    int rc = 0;

    while (!load_once(&target->ended) && rc == 0)
        rc = waitq_sleep_interruptible(&adopted_end, deadline_ns);
    if (load_once(&target->ended))
        rc = 0;
    waitq_unlock(&adopted_end, enabled);
    return rc;
}

/* Make the caller the one who joins. NULL: *error says why not. */
static struct pthread *claim(pthread_t handle, bool try, int *error)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);

    *error = !target                               ? ESRCH
             : target->detached || target->joining ? EINVAL
             : target->thread == current_thread()  ? EDEADLK
             : try && !target->ended               ? EBUSY
                                                   : 0;
    if (*error)
        target = NULL;
    else
        target->joining = true;
    spin_unlock_restore(&libc_threads_lock, enabled);
    return target;
}

static int join(pthread_t handle, void **result, uint64_t deadline_ns, bool try)
{
    struct pthread *self = libc_self_if_any(), *target;
    bool enabled;
    int rc;

    pthread_testcancel();
    target = claim(handle, try, &rc);
    if (!target)
        return rc;
    do {
        rc = target->adopted ? wait_for_adopted(target, deadline_ns)
                             : thread_join_interruptible(target->thread, deadline_ns);
        if (rc == -XEN_EINTR) {
            if (self && libc_cancel_due(self))
                break;
            libc_interrupted();
        }
    } while (rc == -XEN_EINTR);
    enabled = spin_lock_save(&libc_threads_lock);
    if (rc) {
        target->joining = false;
        spin_unlock_restore(&libc_threads_lock, enabled);
        pthread_testcancel();
        return ETIMEDOUT;
    }
    if (result)
        *result = target->result;
    libc_thread_forget(target, enabled);
    return 0;
}

int pthread_join(pthread_t handle, void **result)
{
    return join(handle, result, TIME_NEVER, false);
}

int pthread_tryjoin_np(pthread_t handle, void **result)
{
    return join(handle, result, TIME_NEVER, true);
}

int pthread_timedjoin_np(pthread_t handle, void **result, const struct timespec *time)
{
    uint64_t deadline_ns;
    int rc = libc_deadline(CLOCK_REALTIME, time, &deadline_ns);

    return rc ? rc : join(handle, result, deadline_ns, false);
}

int pthread_detach(pthread_t handle)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);
    struct thread *thread = NULL;
    int rc = !target ? ESRCH : target->detached || target->joining ? EINVAL : 0;

    if (rc == 0 && !target->adopted)
        thread = target->thread;
    if (rc == 0 && target->ended) {
        libc_thread_forget(target, enabled);
    } else {
        if (rc == 0)
            target->detached = true;
        spin_unlock_restore(&libc_threads_lock, enabled);
    }
    if (thread)
        thread_detach(thread);
    return rc;
}
