/* SPDX-License-Identifier: MIT
 *
 * The types of <pthread.h>, in place of newlib's, which are 32-bit handles.  Here a lock is its own
 * memory, so that it needs no table and using a free one stays inline.  What is in them is libc's
 * business; all zeroes is the initial state of each that has a static initialiser.
 */
#ifndef _SYS__PTHREADTYPES_H_
#define _SYS__PTHREADTYPES_H_

#if defined(_POSIX_THREADS)

#include <sys/cpuset.h>
#include <sys/sched.h>

typedef unsigned long pthread_t; /* never 0 */
typedef unsigned int pthread_key_t;

#define PTHREAD_SCOPE_PROCESS 0
#define PTHREAD_SCOPE_SYSTEM  1

#define PTHREAD_INHERIT_SCHED  1
#define PTHREAD_EXPLICIT_SCHED 2

#define PTHREAD_CREATE_DETACHED 0
#define PTHREAD_CREATE_JOINABLE 1

#define PTHREAD_PROCESS_PRIVATE 0
#define PTHREAD_PROCESS_SHARED  1

#define PTHREAD_PRIO_NONE    0
#define PTHREAD_PRIO_INHERIT 1
#define PTHREAD_PRIO_PROTECT 2

#define PTHREAD_MUTEX_NORMAL     0
#define PTHREAD_MUTEX_RECURSIVE  1
#define PTHREAD_MUTEX_ERRORCHECK 2
#define PTHREAD_MUTEX_DEFAULT    PTHREAD_MUTEX_NORMAL

typedef struct {
    unsigned int __valid;
    int __detachstate, __inheritsched, __policy, __scope;
    int __has_affinity;
    struct sched_param __param;
    void *__stackaddr; /* the lowest byte; NULL: the system's own */
    __SIZE_TYPE__ __stacksize, __guardsize;
    cpu_set_t __affinity;
} pthread_attr_t;

/* Room for the kernel's wait queue; its lock grows in a checking build. */
typedef struct {
    unsigned long __opaque[6];
} __pthread_queue_t;

typedef struct {
    unsigned long __mutex[14]; /* the kernel's */
    unsigned char __type, __protocol, __ceiling, __destroyed;
} pthread_mutex_t;
/* clang-format off */
#define _PTHREAD_MUTEX_INITIALIZER               { { 0 }, PTHREAD_MUTEX_NORMAL, 0, 0, 0 }
#define PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP   { { 0 }, PTHREAD_MUTEX_RECURSIVE, 0, 0, 0 }
#define PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP  { { 0 }, PTHREAD_MUTEX_ERRORCHECK, 0, 0, 0 }
/* clang-format on */

typedef struct {
    unsigned int __valid;
    int __pshared, __type, __protocol, __ceiling;
} pthread_mutexattr_t;

typedef struct {
    __pthread_queue_t __q;
    unsigned int __clock;   /* 0: CLOCK_REALTIME */
    unsigned int __signals; /* how often it was signalled; held: __q */
    void *__mutex;          /* of the waiters; held: __q */
    unsigned int __waiting; /* held: __q */
    unsigned int __destroyed;
} pthread_cond_t;
/* clang-format off */
#define _PTHREAD_COND_INITIALIZER { { { 0 } }, 0, 0, 0, 0, 0 }
/* clang-format on */

typedef struct {
    unsigned int __valid;
    int __pshared;
    unsigned long __clock;
} pthread_condattr_t;

typedef unsigned int pthread_once_t;
#define _PTHREAD_ONCE_INIT 0

typedef struct {
    __pthread_queue_t __q;
    unsigned int __valid;
    unsigned int __count, __arrived, __round, __leaving; /* held: __q */
} pthread_barrier_t;

typedef struct {
    unsigned int __valid;
    int __pshared;
} pthread_barrierattr_t;

typedef struct {
    unsigned long __owner;
} pthread_spinlock_t;

typedef struct {
    __pthread_queue_t __readers, __writers;
    unsigned long __owner; /* the writer */

    /* held: __readers */
    unsigned int __reading; /* how many hold it */
    unsigned int __destroyed;
    unsigned short __readers_at[33], __writers_at[33]; /* how many wait, by priority */
} pthread_rwlock_t;
/* clang-format off */
#define _PTHREAD_RWLOCK_INITIALIZER { { { 0 } }, { { 0 } }, 0, 0, 0, { 0 }, { 0 } }
/* clang-format on */

typedef struct {
    unsigned int __valid;
    int __pshared;
} pthread_rwlockattr_t;

#endif
#endif
