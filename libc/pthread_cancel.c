/* SPDX-License-Identifier: MIT
 *
 * Cancellation, and the handlers that clean up.  A cancelled thread ends at its next cancellation
 * point, or with PTHREAD_CANCEL_ASYNCHRONOUS anywhere in its own code: libc_async().
 */
#define _GNU_SOURCE
#include "libc/pthread_private.h"

bool libc_cancel_due(const struct pthread *self)
{
    return load_once(&self->cancelled) && !self->cancel_disabled && !self->exiting;
}

void pthread_testcancel(void)
{
    struct pthread *self = libc_self_if_any();

    if (self && libc_cancel_due(self))
        libc_thread_finish(PTHREAD_CANCELED);
}

int pthread_cancel(pthread_t handle)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);
    bool self = target && target->thread == current_thread();

    if (target && !target->ended) {
        /* In this order: the other way round in pthread_setcancelstate(). */
        (void)atomic_exchange(&target->cancelled, true);
        if (!load_once(&target->cancel_disabled) && !self)
            libc_notify(target);
    }
    libc_threads_unlock(enabled);
    if (self && target->cancel_async)
        pthread_testcancel();
    return target ? 0 : ESRCH;
}

int pthread_setcancelstate(int state, int *before)
{
    struct pthread *self = libc_self();

    if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
        return EINVAL;
    if (before)
        *before = self->cancel_disabled ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
    (void)atomic_exchange(&self->cancel_disabled, state == PTHREAD_CANCEL_DISABLE);
    if (self->cancel_async)
        pthread_testcancel();
    return 0;
}

int pthread_setcanceltype(int type, int *before)
{
    struct pthread *self = libc_self();

    if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
        return EINVAL;
    if (before)
        *before = self->cancel_async ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
    (void)atomic_exchange(&self->cancel_async, type == PTHREAD_CANCEL_ASYNCHRONOUS);
    if (self->cancel_async)
        pthread_testcancel();
    return 0;
}

void _pthread_cleanup_push(struct _pthread_cleanup_context *context, void (*routine)(void *arg),
                           void *arg)
{
    struct pthread *self = libc_self();

    context->_routine = routine;
    context->_arg = arg;
    context->_previous = self->cleanup;
    self->cleanup = context;
}

void _pthread_cleanup_pop(struct _pthread_cleanup_context *context, int execute)
{
    libc_self()->cleanup = context->_previous;
    if (execute)
        context->_routine(context->_arg);
}

void _pthread_cleanup_push_defer(struct _pthread_cleanup_context *context,
                                 void (*routine)(void *arg), void *arg)
{
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &context->_canceltype);
    _pthread_cleanup_push(context, routine, arg);
}

void _pthread_cleanup_pop_restore(struct _pthread_cleanup_context *context, int execute)
{
    _pthread_cleanup_pop(context, execute);
    pthread_setcanceltype(context->_canceltype, NULL);
}

/* There is no fork(), so the handlers are never called. */
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    (void)prepare, (void)parent, (void)child;
    return 0;
}
