/* SPDX-License-Identifier: MIT
 *
 * Sets of signals, what to do about them, and sending them.
 */
#include <unistd.h>
#include "libc/internal.h"
#include "libc/pthread_private.h"

#define NEVER_CAUGHT (libc_signal_bit(SIGKILL) | libc_signal_bit(SIGSTOP))

static int fail(int error)
{
    errno = error;
    return -1;
}

static bool valid(int signal)
{
    return signal > 0 && signal < NSIG;
}

int sigemptyset(sigset_t *set)
{
    *set = 0;
    return 0;
}

int sigfillset(sigset_t *set)
{
    *set = LIBC_SIGNALS_ALL;
    return 0;
}

int sigaddset(sigset_t *set, int signal)
{
    if (!valid(signal))
        return fail(EINVAL);
    *set |= libc_signal_bit(signal);
    return 0;
}

int sigdelset(sigset_t *set, int signal)
{
    if (!valid(signal))
        return fail(EINVAL);
    *set &= ~libc_signal_bit(signal);
    return 0;
}

int sigismember(const sigset_t *set, int signal)
{
    if (!valid(signal))
        return fail(EINVAL);
    return (*set & libc_signal_bit(signal)) != 0;
}

int sigaction(int signal, const struct sigaction *restrict set, struct sigaction *restrict before)
{
    struct sigaction old;
    bool enabled;

    if (!valid(signal) || (set && NEVER_CAUGHT & libc_signal_bit(signal)))
        return fail(EINVAL);
    libc_adopt_main();
    enabled = spin_lock_save(&libc_threads_lock);
    old = libc_actions[signal];
    if (set) {
        libc_actions[signal] = *set;
        libc_actions[signal].sa_mask &= ~NEVER_CAUGHT;
        if (libc_signal_ignored(signal))
            libc_signal_discard(signal);
    }
    libc_threads_unlock(enabled);
    if (before)
        *before = old;
    return 0;
}

_sig_func_ptr signal(int signal, _sig_func_ptr handler)
{
    struct sigaction action = { .sa_flags = SA_RESTART }, before;

    action.sa_handler = handler;
    return handler == SIG_ERR || sigaction(signal, &action, &before) ? (fail(EINVAL), SIG_ERR)
                                                                     : before.sa_handler;
}

int siginterrupt(int signal, int interrupts)
{
    struct sigaction action;

    if (sigaction(signal, NULL, &action))
        return -1;
    action.sa_flags = interrupts ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    return sigaction(signal, &action, NULL);
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict before)
{
    struct pthread *self = libc_self();
    sigset_t old = self->mask;
    bool enabled;

    if (set && how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK)
        return EINVAL;
    if (set) {
        sigset_t wanted = *set & LIBC_SIGNALS_ALL & ~NEVER_CAUGHT;

        libc_signals_deliver(self, NULL); /* they are this thread's as long as it takes them */
        enabled = spin_lock_save(&libc_threads_lock);
        self->mask = how == SIG_BLOCK ? old | wanted : how == SIG_UNBLOCK ? old & ~wanted : wanted;
        libc_threads_unlock(enabled);
    }
    if (before)
        *before = old;
    libc_signals_deliver(self, NULL);
    return 0;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict before)
{
    int rc = pthread_sigmask(how, set, before);

    return rc ? fail(rc) : 0;
}

int sigpending(sigset_t *set)
{
    struct pthread *self = libc_self();
    bool enabled = spin_lock_save(&libc_threads_lock);

    *set = libc_signals_pending(self) & self->mask;
    libc_threads_unlock(enabled);
    return 0;
}

/* `handle` 0: to the program. 0 or an errno. */
static int send(pthread_t handle, const siginfo_t *info)
{
    struct pthread *self = libc_self(), *target = NULL;
    bool enabled;
    int rc = 0;

    if (info->si_signo < 0 || info->si_signo >= NSIG)
        return EINVAL;
    libc_adopt_main();
    enabled = spin_lock_save(&libc_threads_lock);
    if (handle) {
        target = libc_thread_find(handle);
        if (!target)
            rc = ESRCH;
    }
    if (rc == 0 && info->si_signo && !(target && target->ended))
        rc = libc_signal_post(target, info, NULL);
    libc_threads_unlock(enabled);
    if (rc == 0 && info->si_signo)
        libc_signals_deliver(self, NULL); /* if it is ours: before this returns */
    return rc;
}

int pthread_kill(pthread_t handle, int signal)
{
    siginfo_t info = { .si_signo = signal, .si_code = SI_TKILL, .si_pid = getpid() };

    return handle ? send(handle, &info) : ESRCH;
}

int libc_kill(int signal)
{
    siginfo_t info = { .si_signo = signal, .si_code = SI_USER, .si_pid = getpid() };

    return send(0, &info);
}

int libc_raise(int signal)
{
    return pthread_kill(pthread_self(), signal);
}

int sigqueue(pid_t pid, int signal, const union sigval value)
{
    siginfo_t info = {
        .si_signo = signal, .si_code = SI_QUEUE, .si_pid = getpid(), .si_value = value
    };
    int rc = pid != getpid() ? ESRCH : send(0, &info);

    return rc ? fail(rc) : 0;
}

int sigaltstack(const stack_t *restrict set, stack_t *restrict before)
{
    (void)set, (void)before;
    return fail(ENOSYS);
}
