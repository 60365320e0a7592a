/* SPDX-License-Identifier: MIT
 *
 * The calls of System V for signals, which POSIX calls obsolete.
 */
#include "libc/pthread_private.h"

static int change_mask(int how, int signal)
{
    sigset_t set;

    sigemptyset(&set);
    return sigaddset(&set, signal) ? -1 : sigprocmask(how, &set, NULL);
}

int sighold(int signal)
{
    return change_mask(SIG_BLOCK, signal);
}

int sigrelse(int signal)
{
    return change_mask(SIG_UNBLOCK, signal);
}

int sigignore(int number)
{
    return signal(number, SIG_IGN) == SIG_ERR ? -1 : 0;
}

_sig_func_ptr sigset(int number, _sig_func_ptr handler)
{
    struct sigaction action = { .sa_flags = 0 }, before;
    sigset_t mask;
    bool held;

    if (sigprocmask(SIG_BLOCK, NULL, &mask) || sigaction(number, NULL, &before))
        return SIG_ERR;
    held = sigismember(&mask, number) == 1;
    if (handler == SIG_HOLD) {
        sighold(number);
    } else {
        action.sa_handler = handler;
        if (sigaction(number, &action, NULL))
            return SIG_ERR;
        sigrelse(number);
    }
    return held ? SIG_HOLD : before.sa_handler;
}

int sigpause(int signal)
{
    sigset_t mask;

    sigprocmask(SIG_BLOCK, NULL, &mask);
    if (sigdelset(&mask, signal))
        return -1;
    return sigsuspend(&mask);
}
