/* SPDX-License-Identifier: MIT
 *
 * pselect(): select() with other signals blocked meanwhile.
 */
#include <signal.h>
#include <sys/select.h>
#include "kernel/time.h"
#include "libc/blocking.h"
#include "libc/poll.h"
#include "libc/time.h"

/* The mask is set before and after, not at once with the wait. */
int pselect(int limit, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
            const sigset_t *mask)
{
    uint64_t deadline_ns = TIME_NEVER;
    sigset_t before;
    int rc;

    if (timeout)
        deadline_ns =
            timeout->tv_sec || timeout->tv_nsec ? time_after_ns(libc_timespec_ns(timeout)) : 0;
    if (mask)
        pthread_sigmask(SIG_SETMASK, mask, &before);
    rc = libc_select(limit, in, out, except, deadline_ns);
    if (mask)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    return (int)libc_result(rc);
}
