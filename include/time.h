/* SPDX-License-Identifier: MIT
 *
 * <time.h>: newlib's, with the clocks that libc/time.c has.  newlib knows these declarations but
 * shows them only to systems on its list, together with timers that do not exist here.
 */
#include_next <time.h>

#ifndef XENOLITH_TIME_H
#define XENOLITH_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CLOCK_MONOTONIC
#define CLOCK_MONOTONIC (4) /* newlib's number */
#endif

int clock_gettime(clockid_t clock, struct timespec *out);
int clock_getres(clockid_t clock, struct timespec *out);
/* Always EPERM: the wall clock is the host's. */
int clock_settime(clockid_t clock, const struct timespec *value);
int nanosleep(const struct timespec *wanted, struct timespec *left);

#ifdef __cplusplus
}
#endif

#endif
