/* SPDX-License-Identifier: MIT
 *
 * <sys/features.h>: newlib's, and what of POSIX this system has.  newlib hides threads, timers and
 * semaphores from systems that do not say so.  An option that is not named here does not exist.
 */
#ifndef XENOLITH_SYS_FEATURES_H
#define XENOLITH_SYS_FEATURES_H

#include_next <sys/features.h>

#define _POSIX_BARRIERS                   200809L
#define _POSIX_CLOCK_SELECTION            200809L
#define _POSIX_CPUTIME                    200809L
#define _POSIX_MONOTONIC_CLOCK            200809L
#define _POSIX_PRIORITY_SCHEDULING        200809L
#define _POSIX_READER_WRITER_LOCKS        200809L
#define _POSIX_REALTIME_SIGNALS           200809L
#define _POSIX_SEMAPHORES                 200809L
#define _POSIX_SPIN_LOCKS                 200809L
#define _POSIX_THREADS                    200809L
#define _POSIX_THREAD_ATTR_STACKADDR      200809L
#define _POSIX_THREAD_ATTR_STACKSIZE      200809L
#define _POSIX_THREAD_CPUTIME             200809L
#define _POSIX_THREAD_PRIORITY_SCHEDULING 200809L
#define _POSIX_THREAD_PRIO_INHERIT        200809L
#define _POSIX_THREAD_PRIO_PROTECT        200809L
#define _POSIX_THREAD_PROCESS_SHARED      200809L /* there is one process */
#define _POSIX_THREAD_SAFE_FUNCTIONS      200809L
#define _POSIX_TIMEOUTS                   200809L
#define _POSIX_TIMERS                     200809L
#define _UNIX98_THREAD_MUTEX_ATTRIBUTES   1

#endif
