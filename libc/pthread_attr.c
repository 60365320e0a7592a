/* SPDX-License-Identifier: MIT
 *
 * What a thread is to be like when pthread_create() makes it.
 */
#define _GNU_SOURCE
#include <string.h>
#include "libc/pthread_private.h"
#include "mm/page.h"

#define DEFAULT_STACK_SIZE ((PAGE_SIZE << THREAD_STACK_ORDER) - PAGE_SIZE)
#define STACK_SIZE_MAX     (1UL << 30)

static bool valid(const pthread_attr_t *attr)
{
    return attr && attr->__valid == LIBC_VALID;
}

int pthread_attr_init(pthread_attr_t *attr)
{
    *attr = (pthread_attr_t){
        .__valid = LIBC_VALID,
        .__detachstate = PTHREAD_CREATE_JOINABLE,
        .__inheritsched = PTHREAD_INHERIT_SCHED,
        .__policy = SCHED_OTHER,
        .__scope = PTHREAD_SCOPE_SYSTEM,
        .__guardsize = PAGE_SIZE,
    };
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attr)
{
    if (!valid(attr))
        return EINVAL;
    attr->__valid = 0;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attr, int state)
{
    if (!valid(attr) || (state != PTHREAD_CREATE_DETACHED && state != PTHREAD_CREATE_JOINABLE))
        return EINVAL;
    attr->__detachstate = state;
    return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state)
{
    if (!valid(attr))
        return EINVAL;
    *state = attr->__detachstate;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size)
{
    if (!valid(attr) || size < PTHREAD_STACK_MIN || size > STACK_SIZE_MAX)
        return EINVAL;
    attr->__stacksize = size;
    return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *attr, size_t *size)
{
    if (!valid(attr))
        return EINVAL;
    *size = attr->__stacksize ? attr->__stacksize : DEFAULT_STACK_SIZE;
    return 0;
}

int pthread_attr_setstack(pthread_attr_t *attr, void *addr, size_t size)
{
    if (!valid(attr) || !addr || size < PTHREAD_STACK_MIN || size > STACK_SIZE_MAX)
        return EINVAL;
    attr->__stackaddr = addr;
    attr->__stacksize = size;
    return 0;
}

int pthread_attr_getstack(const pthread_attr_t *attr, void **addr, size_t *size)
{
    if (!valid(attr))
        return EINVAL;
    *addr = attr->__stackaddr;
    return pthread_attr_getstacksize(attr, size);
}

/* The old form knows one address only, and does not say which end; taken as the lowest byte. */
int pthread_attr_setstackaddr(pthread_attr_t *attr, void *addr)
{
    if (!valid(attr) || !addr)
        return EINVAL;
    if (!attr->__stacksize)
        attr->__stacksize = PTHREAD_STACK_MIN;
    attr->__stackaddr = addr;
    return 0;
}

int pthread_attr_getstackaddr(const pthread_attr_t *attr, void **addr)
{
    if (!valid(attr))
        return EINVAL;
    *addr = attr->__stackaddr;
    return 0;
}

/* A stack of ours has one guard page, whatever is asked for. */
int pthread_attr_setguardsize(pthread_attr_t *attr, size_t size)
{
    if (!valid(attr))
        return EINVAL;
    attr->__guardsize = size;
    return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *attr, size_t *size)
{
    if (!valid(attr))
        return EINVAL;
    *size = attr->__guardsize;
    return 0;
}

int pthread_attr_setinheritsched(pthread_attr_t *attr, int inherit)
{
    if (!valid(attr) || (inherit != PTHREAD_INHERIT_SCHED && inherit != PTHREAD_EXPLICIT_SCHED))
        return EINVAL;
    attr->__inheritsched = inherit;
    return 0;
}

int pthread_attr_getinheritsched(const pthread_attr_t *attr, int *inherit)
{
    if (!valid(attr))
        return EINVAL;
    *inherit = attr->__inheritsched;
    return 0;
}

int pthread_attr_setschedpolicy(pthread_attr_t *attr, int policy)
{
    if (!valid(attr) || libc_priority_range(policy, NULL, NULL))
        return EINVAL;
    attr->__policy = policy;
    return 0;
}

int pthread_attr_getschedpolicy(const pthread_attr_t *attr, int *policy)
{
    if (!valid(attr))
        return EINVAL;
    *policy = attr->__policy;
    return 0;
}

/* pthread_create() judges it with the policy, which may be set later. */
int pthread_attr_setschedparam(pthread_attr_t *attr, const struct sched_param *param)
{
    if (!valid(attr) || !param || param->sched_priority < 0 ||
        param->sched_priority > REALTIME_LEVELS)
        return EINVAL;
    attr->__param = *param;
    return 0;
}

int pthread_attr_getschedparam(const pthread_attr_t *attr, struct sched_param *param)
{
    if (!valid(attr) || !param)
        return EINVAL;
    *param = attr->__param;
    return 0;
}

int pthread_attr_setscope(pthread_attr_t *attr, int scope)
{
    if (!valid(attr) || (scope != PTHREAD_SCOPE_SYSTEM && scope != PTHREAD_SCOPE_PROCESS))
        return EINVAL;
    if (scope == PTHREAD_SCOPE_PROCESS)
        return ENOTSUP;
    attr->__scope = scope;
    return 0;
}

int pthread_attr_getscope(const pthread_attr_t *attr, int *scope)
{
    if (!valid(attr))
        return EINVAL;
    *scope = attr->__scope;
    return 0;
}

int pthread_attr_setaffinity_np(pthread_attr_t *attr, size_t size, const cpu_set_t *set)
{
    if (!valid(attr) || !set)
        return EINVAL;
    memset(&attr->__affinity, 0, sizeof(attr->__affinity));
    memcpy(&attr->__affinity, set, size < sizeof(*set) ? size : sizeof(*set));
    attr->__has_affinity = 1;
    return 0;
}

int pthread_attr_getaffinity_np(const pthread_attr_t *attr, size_t size, cpu_set_t *set)
{
    if (!valid(attr) || size < sizeof(*set))
        return EINVAL;
    if (attr->__has_affinity)
        *set = attr->__affinity;
    else
        memset(set, 0xff, sizeof(*set));
    return 0;
}
