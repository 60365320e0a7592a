/* SPDX-License-Identifier: MIT
 *
 * Calls that may wait, as programs see them: cancellation points, and interrupted by signals.
 */
#pragma once
#include <errno.h>
#include <sys/types.h>

/* Only in programs that have signals or cancellation. */
__attribute__((weak)) void pthread_testcancel(void);
__attribute__((weak)) int libc_interrupted_cancel(void);
__attribute__((weak)) int libc_interrupted_cancel_any(void);

/* `rc`, or errno = -rc and -1. */
static inline ssize_t libc_result(ssize_t rc)
{
    if (rc >= 0)
        return rc;
    errno = (int)-rc;
    return -1;
}

/* Evaluate `attempt`, again after a signal whose handler says SA_RESTART. -EINTR is not to be had
 * while the caller holds anything that a cancelled thread would leave behind. */
#define BLOCKING(attempt)                                                                          \
    ({                                                                                             \
        ssize_t rc_;                                                                               \
                                                                                                   \
        if (pthread_testcancel)                                                                    \
            pthread_testcancel();                                                                  \
        do {                                                                                       \
            rc_ = (attempt);                                                                       \
        } while (rc_ == -EINTR && libc_interrupted_cancel && libc_interrupted_cancel() == 0);      \
        libc_result(rc_);                                                                          \
    })
