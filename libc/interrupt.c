/* SPDX-License-Identifier: MIT
 *
 * How a signal or a cancellation gets hold of a thread.  In a blocking call: that ends with
 * -XEN_EINTR and asks here.  While the thread computes: the kernel calls libc_async() in it,
 * between any two instructions.  Only in code of the program itself can no lock of ours be held, so
 * that a handler may call what POSIX lets it call, and may leave by longjmp(); elsewhere
 * libc_async() comes back later.
 */
#include "libc/pthread_private.h"
#include "libc/time.h"

/* When the thread was found in the kernel or a library: this much later it may be out of it. Each
 * time in vain doubles that, or a slow machine might be busy with nothing else. */
#define RETRY_NS      (200 * NS_PER_US)
#define RETRY_DOUBLES 5

extern const char __program_text_start[], __program_text_end[]; /* the linker script's */

static bool in_program(unsigned long address)
{
    return address >= (unsigned long)__program_text_start &&
           address < (unsigned long)__program_text_end;
}

/* Look again, if it is still there: by handle, for this may run while the thread ends. Upcall. */
static void retry(void *handle)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find((pthread_t)handle);

    if (target && !target->ended)
        thread_interrupt(target->thread);
    spin_unlock_restore(&libc_threads_lock, enabled);
}

void libc_async_here(void)
{
    struct pthread *self = libc_self_if_any();

    thread_interrupt_clear();
    if (!self)
        return;
    self->retries = 0;
    libc_signals_deliver(self, NULL);
    if (self->cancel_async)
        pthread_testcancel();
}

static void libc_async(void)
{
    struct pthread *self = libc_self_if_any();

    if (!self || self->exiting)
        return;
    if (in_program(context_interrupted_pc())) {
        libc_async_here();
    } else if (!load_once(&self->retry.heap)) {
        timer_arm(&self->retry, time_after_ns(RETRY_NS << self->retries));
        self->retries = MIN(self->retries + 1U, RETRY_DOUBLES);
    }
}

void libc_notify(struct pthread *target)
{
    static bool known;

    if (!known) {
        known = true;
        thread_set_async(libc_async);
    }
    memory_barrier(); /* pairs with a new thread's first look: libc/pthread.c */
    if (!target->thread)
        return;
    if (!target->retry.fn)
        timer_init(&target->retry, retry, (void *)target->handle);
    thread_interrupt(target->thread);
}

void libc_look(void)
{
    if (thread_interrupted())
        libc_async_here();
}

static int interrupted(bool restart_too)
{
    struct pthread *self = libc_self_if_any();
    bool any = false, one;

    thread_interrupt_clear(); /* first: what comes from here on raises it again */
    if (!self)
        return 0;
    one = libc_signals_deliver(self, &any);
    return one || (restart_too && any) ? EINTR : 0;
}

int libc_interrupted(void)
{
    return interrupted(false);
}

int libc_interrupted_async(void)
{
    int rc = interrupted(false);
    struct pthread *self = libc_self_if_any();

    if (self && self->cancel_async)
        pthread_testcancel();
    return rc;
}

int libc_interrupted_cancel(void)
{
    int rc = interrupted(false);

    pthread_testcancel();
    return rc;
}

int libc_interrupted_cancel_any(void)
{
    int rc = interrupted(true);

    pthread_testcancel();
    return rc;
}
