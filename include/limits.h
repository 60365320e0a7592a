/* SPDX-License-Identifier: MIT
 *
 * <limits.h>: the compiler's and newlib's, and how many and how large for threads.
 */
#include_next <limits.h>

#ifndef XENOLITH_LIMITS_H
#define XENOLITH_LIMITS_H

#define _POSIX_THREAD_DESTRUCTOR_ITERATIONS 4
#define _POSIX_THREAD_KEYS_MAX              128
#define _POSIX_THREAD_THREADS_MAX           64
#define _POSIX_SEM_NSEMS_MAX                256
#define _POSIX_SEM_VALUE_MAX                32767
#define _POSIX_TIMER_MAX                    32
#define _POSIX_DELAYTIMER_MAX               32
#define _POSIX_SIGQUEUE_MAX                 32
#define _POSIX_RTSIG_MAX                    8
#define _POSIX_CLOCKRES_MIN                 20000000
#define _POSIX_NAME_MAX                     14
#define _POSIX_PATH_MAX                     256

#define PTHREAD_DESTRUCTOR_ITERATIONS 4
#define PTHREAD_KEYS_MAX              128
#define PTHREAD_STACK_MIN             16384
#define PTHREAD_THREADS_MAX           16384
#define SEM_NSEMS_MAX                 2147483647
#ifndef SEM_VALUE_MAX
#define SEM_VALUE_MAX 2147483647
#endif
#define TIMER_MAX      256
#define DELAYTIMER_MAX 2147483647
#define SIGQUEUE_MAX   1024
#define RTSIG_MAX      32
#ifndef NAME_MAX
#define NAME_MAX 255
#endif

#endif
