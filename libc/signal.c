/* SPDX-License-Identifier: MIT
 *
 * Signals: who has which pending, to whom one goes, and running its handler.  All in one process:
 * they come from raise(), kill(), pthread_kill(), sigqueue() and timers; the CPU's exceptions are
 * not among them, they end the domain.  A handler runs in the thread the signal went to: when it
 * next blocks or unblocks a signal, or when libc_async() finds it in the program's own code.
 */
#include <string.h>
#include <unistd.h>
#include "libc/internal.h"
#include "libc/pthread_private.h"

#define DEFAULT_NOTHING                                                                            \
    (libc_signal_bit(SIGCHLD) | libc_signal_bit(SIGURG) | libc_signal_bit(SIGCONT) |               \
     libc_signal_bit(SIGWINCH))

struct sigaction libc_actions[NSIG];

/* For the program: taken by any thread that does not block them. held: libc_threads_lock */
static struct {
    sigset_t pending;
    struct queued_signal *queue;
} program;

static struct queued_signal pool[SIGQUEUE_MAX]; /* held: libc_threads_lock */
static struct queued_signal *pool_free;
static unsigned int pool_used; /* entries that were ever taken */

static struct queued_signal *pool_take(void)
{
    struct queued_signal *entry = pool_free;

    if (entry)
        pool_free = entry->next;
    else if (pool_used < ARRAY_SIZE(pool))
        entry = &pool[pool_used++];
    return entry;
}

/* It was accepted, or thrown away. */
static void release(struct queued_signal *entry)
{
    entry->posted = false;
    if (entry->accepted) {
        entry->accepted(entry);
    } else {
        entry->next = pool_free;
        pool_free = entry;
    }
}

bool libc_signal_ignored(int signal)
{
    _sig_func_ptr handler = libc_actions[signal].sa_handler;

    return handler == SIG_IGN || (handler == SIG_DFL && DEFAULT_NOTHING & libc_signal_bit(signal));
}

/* The first entry for `signal` (0: any), taken off. */
static struct queued_signal *queue_take(struct queued_signal **queue, int signal)
{
    struct queued_signal *entry;

    while ((entry = *queue) != NULL && signal && entry->info.si_signo != signal)
        queue = &entry->next;
    if (entry)
        *queue = entry->next;
    return entry;
}

static bool queue_has(const struct queued_signal *queue, int signal)
{
    while (queue && queue->info.si_signo != signal)
        queue = queue->next;
    return queue != NULL;
}

/* From one of the two places where `signal` may be pending. */
static bool take_from(sigset_t *pending, struct queued_signal **queue, int signal, siginfo_t *info)
{
    struct queued_signal *entry;

    if (!(*pending & libc_signal_bit(signal)))
        return false;
    *info = (siginfo_t){ .si_signo = signal, .si_code = SI_USER };
    entry = queue_take(queue, signal);
    if (entry) {
        if (entry->accepted)
            entry->accepted(entry); /* fills in what it knows by now */
        *info = entry->info;
        entry->posted = false;
        if (!entry->accepted)
            release(entry);
    }
    if (!queue_has(*queue, signal))
        *pending &= ~libc_signal_bit(signal);
    return true;
}

bool libc_signal_take(struct pthread *self, sigset_t wanted, siginfo_t *info)
{
    sigset_t found = (self->pending | program.pending) & wanted;
    int signal;

    if (!found)
        return false;
    signal = __builtin_ctzll(found);
    return take_from(&self->pending, &self->queue, signal, info) ||
           take_from(&program.pending, &program.queue, signal, info);
}

sigset_t libc_signals_pending(const struct pthread *self)
{
    return self->pending | program.pending;
}

static void discard_from(sigset_t *pending, struct queued_signal **queue, int signal)
{
    struct queued_signal *entry;

    while ((entry = queue_take(queue, signal)) != NULL)
        release(entry);
    *pending &= signal ? ~libc_signal_bit(signal) : 0;
}

void libc_signal_discard(int signal)
{
    struct list *it;

    discard_from(&program.pending, &program.queue, signal);
    list_for_each (it, &libc_threads) {
        struct pthread *thread = list_entry(it, struct pthread, all);

        discard_from(&thread->pending, &thread->queue, signal);
    }
}

/* Unlink `entry` from where it may be queued; the pending bit stays for others of its number. */
static void unlink_from(sigset_t *pending, struct queued_signal **queue,
                        struct queued_signal *entry)
{
    struct queued_signal **link = queue;

    while (*link && *link != entry)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = entry->next;
    if (!queue_has(*queue, entry->info.si_signo))
        *pending &= ~libc_signal_bit(entry->info.si_signo);
}

void libc_signal_withdraw(struct queued_signal *entry)
{
    if (entry->posted) /* timers' signals are the program's */
        unlink_from(&program.pending, &program.queue, entry);
    entry->posted = false;
}

/* -- To whom --------------------------------------------------------------------------------- */

/* Who takes `signal` of the program's: one that waits for it, the caller, or the first that does
 * not block it. NULL: nobody now. */
static struct pthread *choose(int signal)
{
    struct pthread *found = NULL;
    struct list *it;

    list_for_each (it, &libc_threads) {
        struct pthread *thread = list_entry(it, struct pthread, all);

        if (thread->awaited & libc_signal_bit(signal))
            return thread;
        if (!(thread->mask & libc_signal_bit(signal)) &&
            (!found || thread->thread == current_thread()))
            found = thread;
    }
    return found;
}

static int enqueue(sigset_t *pending, struct queued_signal **queue, const siginfo_t *info,
                   struct queued_signal *entry)
{
    bool again = *pending & libc_signal_bit(info->si_signo);

    if (again && info->si_signo < SIGRTMIN && info->si_code != SI_QUEUE && !entry)
        return 0; /* is pending once, says POSIX */
    if (!entry)
        entry = pool_take();
    if (!entry && (info->si_code == SI_QUEUE || info->si_signo >= SIGRTMIN))
        return EAGAIN;
    if (entry) { /* without one it is pending all the same, as SI_USER */
        entry->info = *info;
        entry->next = NULL;
        entry->posted = true;
        while (*queue)
            queue = &(*queue)->next;
        *queue = entry;
    }
    *pending |= libc_signal_bit(info->si_signo);
    return 0;
}

int libc_signal_post(struct pthread *target, const siginfo_t *info, struct queued_signal *entry)
{
    int signal = info->si_signo, rc;
    struct pthread *taker = target ? target : choose(signal);
    bool waited_for = taker && taker->awaited & libc_signal_bit(signal);
    bool blocked = !taker || (!waited_for && taker->mask & libc_signal_bit(signal));

    if (!blocked && !waited_for) {
        if (libc_signal_ignored(signal))
            return 0;
        if (libc_actions[signal].sa_handler == SIG_DFL)
            libc_default_action(signal);
    }
    if (target)
        rc = enqueue(&target->pending, &target->queue, info, entry);
    else
        rc = enqueue(&program.pending, &program.queue, info, entry);
    if (rc == 0 && !blocked && !taker->ended)
        libc_notify(taker);
    return rc;
}

void libc_signals_forget(struct pthread *self)
{
    if (self->pending)
        discard_from(&self->pending, &self->queue, 0);
    for (sigset_t left = program.pending; left; left &= left - 1) {
        struct pthread *taker = choose(__builtin_ctzll(left));

        if (taker)
            libc_notify(taker);
    }
}

/* -- Handlers -------------------------------------------------------------------------------- */

/* Run the handler of one that was taken. False: it has none any more. */
static bool handle(struct pthread *self, siginfo_t *info, bool *enabled, bool *restart)
{
    struct sigaction *set = &libc_actions[info->si_signo], action = *set;
    sigset_t before = self->mask;
    int error = errno;
    bool allowed;

    *restart = action.sa_flags & SA_RESTART;
    if (libc_signal_ignored(info->si_signo))
        return false;
    if (action.sa_handler == SIG_DFL)
        libc_default_action(info->si_signo);
    self->mask |= action.sa_mask;
    if (!(action.sa_flags & SA_NODEFER))
        self->mask |= libc_signal_bit(info->si_signo);
    if (action.sa_flags & SA_RESETHAND)
        set->sa_handler = SIG_DFL;
    spin_unlock_restore(&libc_threads_lock, *enabled);
    allowed = thread_allow_async(true); /* others may interrupt it; it may never return */
    if (action.sa_flags & SA_SIGINFO)
        action.sa_sigaction(info->si_signo, info, NULL);
    else
        action.sa_handler(info->si_signo);
    thread_allow_async(allowed);
    errno = error;
    *enabled = spin_lock_save(&libc_threads_lock);
    self->mask = before;
    return true;
}

bool libc_signals_deliver(struct pthread *self, bool *any)
{
    bool interrupts = false, restart, enabled;
    siginfo_t info;

    /* Who posts one tells us after it is there. */
    if (!((load_once(&self->pending) | load_once(&program.pending)) & ~self->mask))
        return false;
    enabled = spin_lock_save(&libc_threads_lock);
    while (libc_signal_take(self, ~self->mask, &info)) {
        if (!handle(self, &info, &enabled, &restart))
            continue;
        interrupts |= !restart;
        if (any)
            *any = true;
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
    return interrupts;
}
