/* SPDX-License-Identifier: MIT
 *
 * Attributes of mutexes, condition variables, read-write locks and barriers.
 */
#include "libc/pthread_private.h"

/* For the four types of attributes, which all begin with __valid and __pshared. */
#define ATTRIBUTE_FUNCTIONS(kind)                                                                  \
    int pthread_##kind##_init(pthread_##kind##_t *attr)                                            \
    {                                                                                              \
        *attr =                                                                                    \
            (pthread_##kind##_t){ .__valid = LIBC_VALID, .__pshared = PTHREAD_PROCESS_PRIVATE };   \
        return 0;                                                                                  \
    }                                                                                              \
    int pthread_##kind##_destroy(pthread_##kind##_t *attr)                                         \
    {                                                                                              \
        if (!attr || attr->__valid != LIBC_VALID)                                                  \
            return EINVAL;                                                                         \
        attr->__valid = 0;                                                                         \
        return 0;                                                                                  \
    }                                                                                              \
    int pthread_##kind##_getpshared(const pthread_##kind##_t *attr, int *shared)                   \
    {                                                                                              \
        if (!attr || attr->__valid != LIBC_VALID)                                                  \
            return EINVAL;                                                                         \
        *shared = attr->__pshared;                                                                 \
        return 0;                                                                                  \
    }                                                                                              \
    int pthread_##kind##_setpshared(pthread_##kind##_t *attr, int shared)                          \
    {                                                                                              \
        if (!attr || attr->__valid != LIBC_VALID ||                                                \
            (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED))               \
            return EINVAL;                                                                         \
        attr->__pshared = shared;                                                                  \
        return 0;                                                                                  \
    }

ATTRIBUTE_FUNCTIONS(mutexattr)
ATTRIBUTE_FUNCTIONS(condattr)
ATTRIBUTE_FUNCTIONS(rwlockattr)
ATTRIBUTE_FUNCTIONS(barrierattr)

static bool valid(const pthread_mutexattr_t *attr)
{
    return attr && attr->__valid == LIBC_VALID;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type)
{
    if (!valid(attr) || type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
        return EINVAL;
    attr->__type = type;
    return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *type)
{
    if (!valid(attr))
        return EINVAL;
    *type = attr->__type;
    return 0;
}

int pthread_mutexattr_setprotocol(pthread_mutexattr_t *attr, int protocol)
{
    if (!valid(attr))
        return EINVAL;
    if (protocol < PTHREAD_PRIO_NONE || protocol > PTHREAD_PRIO_PROTECT)
        return ENOTSUP;
    attr->__protocol = protocol;
    return 0;
}

int pthread_mutexattr_getprotocol(const pthread_mutexattr_t *attr, int *protocol)
{
    if (!valid(attr))
        return EINVAL;
    *protocol = attr->__protocol;
    return 0;
}

int pthread_mutexattr_setprioceiling(pthread_mutexattr_t *attr, int ceiling)
{
    if (!valid(attr) || libc_check_scheduling(SCHED_FIFO, ceiling))
        return EINVAL;
    attr->__ceiling = ceiling;
    return 0;
}

int pthread_mutexattr_getprioceiling(const pthread_mutexattr_t *attr, int *ceiling)
{
    int low, high;

    if (!valid(attr))
        return EINVAL;
    libc_priority_range(SCHED_FIFO, &low, &high);
    *ceiling = attr->__ceiling ? attr->__ceiling : high; /* without one: nobody is above it */
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock)
{
    if (!attr || attr->__valid != LIBC_VALID)
        return EINVAL;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    attr->__clock = clock;
    return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *restrict attr, clockid_t *restrict clock)
{
    if (!attr || attr->__valid != LIBC_VALID)
        return EINVAL;
    *clock = attr->__clock ? attr->__clock : CLOCK_REALTIME;
    return 0;
}
