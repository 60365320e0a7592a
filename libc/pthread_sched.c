/* SPDX-License-Identifier: MIT
 *
 * Policies, priorities, vCPUs and names.  SCHED_OTHER is the kernel's PRIORITY_NORMAL; SCHED_FIFO
 * and SCHED_RR have priorities 1 to 32 above it.  The process has no parameters of its own:
 * sched_*() with pid 0 or getpid() mean the calling thread, as on Linux.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>
#include "libc/pthread_private.h"

#define PRIORITY_BEST REALTIME_LEVELS

static int fail(int error)
{
    errno = error;
    return -1;
}

int libc_priority_range(int policy, int *low, int *high)
{
    bool realtime = policy == SCHED_FIFO || policy == SCHED_RR;

    if (!realtime && policy != SCHED_OTHER)
        return EINVAL;
    if (low)
        *low = realtime ? 1 : 0;
    if (high)
        *high = realtime ? PRIORITY_BEST : 0;
    return 0;
}

int libc_check_scheduling(int policy, int priority)
{
    int low, high;

    if (libc_priority_range(policy, &low, &high))
        return EINVAL;
    return priority < low || priority > high ? EINVAL : 0;
}

unsigned int libc_kernel_priority(int policy, int priority)
{
    return policy == SCHED_OTHER ? PRIORITY_NORMAL
                                 : PRIORITY_REALTIME + (unsigned int)(PRIORITY_BEST - priority);
}

void libc_read_scheduling(struct pthread *self)
{
    bool fifo;
    unsigned int priority = thread_priority(self->thread, &fifo);
    bool realtime = priority >= PRIORITY_REALTIME && priority < PRIORITY_NORMAL;

    self->policy = !realtime ? SCHED_OTHER : fifo ? SCHED_FIFO : SCHED_RR;
    self->priority = realtime ? PRIORITY_BEST - (int)(priority - PRIORITY_REALTIME) : 0;
}

void libc_apply_scheduling(struct pthread *self)
{
    int policy = self->policy, priority = self->priority;

    for (int ceiling = PRIORITY_BEST; self->has_ceilings && ceiling > priority; ceiling--) {
        if (self->ceilings[ceiling]) {
            policy = SCHED_FIFO;
            priority = ceiling;
        }
    }
    thread_set_priority(self->thread, libc_kernel_priority(policy, priority), policy == SCHED_FIFO);
}

/* held: libc_threads_lock */
static int set_scheduling(struct pthread *target, int policy, int priority)
{
    int rc = libc_check_scheduling(policy, priority);

    if (rc)
        return rc;
    target->policy = policy;
    target->priority = priority;
    if (target->thread && !target->ended)
        libc_apply_scheduling(target);
    return 0;
}

int pthread_setschedparam(pthread_t handle, int policy, const struct sched_param *param)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);
    int rc = target ? set_scheduling(target, policy, param->sched_priority) : ESRCH;

    libc_threads_unlock(enabled);
    return rc;
}

int pthread_setschedprio(pthread_t handle, int priority)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);
    int rc = target ? set_scheduling(target, target->policy, priority) : ESRCH;

    libc_threads_unlock(enabled);
    return rc;
}

int pthread_getschedparam(pthread_t handle, int *policy, struct sched_param *param)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);

    if (target) {
        *policy = target->policy;
        *param = (struct sched_param){ .sched_priority = target->priority };
    }
    libc_threads_unlock(enabled);
    return target ? 0 : ESRCH;
}

static bool is_us(pid_t pid)
{
    return pid == 0 || pid == getpid();
}

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
    int before = libc_self()->policy, rc;

    if (!is_us(pid))
        return fail(ESRCH);
    if (!param)
        return fail(EINVAL);
    rc = pthread_setschedparam(pthread_self(), policy, param);
    return rc ? fail(rc) : before;
}

int sched_getscheduler(pid_t pid)
{
    return is_us(pid) ? libc_self()->policy : fail(ESRCH);
}

int sched_setparam(pid_t pid, const struct sched_param *param)
{
    int rc = !is_us(pid) ? ESRCH
             : !param    ? EINVAL
                         : pthread_setschedprio(pthread_self(), param->sched_priority);

    return rc ? fail(rc) : 0;
}

int sched_getparam(pid_t pid, struct sched_param *param)
{
    if (!is_us(pid) || !param)
        return fail(param ? ESRCH : EINVAL);
    *param = (struct sched_param){ .sched_priority = libc_self()->priority };
    return 0;
}

int sched_get_priority_max(int policy)
{
    int high;

    return libc_priority_range(policy, NULL, &high) ? fail(EINVAL) : high;
}

int sched_get_priority_min(int policy)
{
    int low;

    return libc_priority_range(policy, &low, NULL) ? fail(EINVAL) : low;
}

int sched_rr_get_interval(pid_t pid, struct timespec *out)
{
    if (!is_us(pid) || !out)
        return fail(out ? ESRCH : EINVAL);
    *out = (struct timespec){ .tv_nsec = (long)THREAD_TIME_SLICE_NS };
    return 0;
}

int sched_yield(void)
{
    thread_yield();
    if (thread_interrupted()) /* as libc_look() does */
        libc_async_here();
    return 0;
}

void pthread_yield(void)
{
    sched_yield();
}

/* All threads of a program compete with all others: there is nothing to multiplex. */
static int concurrency;

int pthread_setconcurrency(int level)
{
    if (level < 0)
        return EINVAL;
    store_once(&concurrency, level);
    return 0;
}

int pthread_getconcurrency(void)
{
    return load_once(&concurrency);
}
