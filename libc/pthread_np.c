/* SPDX-License-Identifier: MIT
 *
 * What programs for Linux use beyond POSIX: vCPU affinity, names, the attributes of a running
 * thread.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include "libc/pthread_private.h"

void libc_vcpu_set(struct vcpu_set *out, const cpu_set_t *set, size_t size)
{
    cpu_set_t whole = { { 0 } };

    memcpy(&whole, set, MIN(size, sizeof(whole)));
    *out = (struct vcpu_set){ { 0 } };
    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS && vcpu < CPU_SETSIZE; vcpu++) {
        if (CPU_ISSET(vcpu, &whole))
            vcpu_set_add(out, vcpu);
    }
}

static int set_affinity(struct thread *thread, const cpu_set_t *set, size_t size)
{
    struct vcpu_set vcpus;

    libc_vcpu_set(&vcpus, set, size);
    return thread_set_affinity(thread, &vcpus) ? EINVAL : 0;
}

static int get_affinity(const struct thread *thread, size_t size, cpu_set_t *set)
{
    struct vcpu_set vcpus;

    if (size < sizeof(*set))
        return EINVAL;
    thread_affinity(thread, &vcpus);
    memset(set, 0, size);
    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS && vcpu < CPU_SETSIZE; vcpu++) {
        if (vcpu_set_has(&vcpus, vcpu) && vcpu_set_has(&vcpus_online, vcpu))
            CPU_SET(vcpu, set);
    }
    return 0;
}

int pthread_setaffinity_np(pthread_t handle, size_t size, const cpu_set_t *set)
{
    struct pthread *target;
    bool enabled;
    int rc = ESRCH;

    if (handle == pthread_self())
        return set_affinity(current_thread(), set, size);
    enabled = spin_lock_save(&libc_threads_lock);
    target = libc_thread_find(handle);
    if (target && target->thread && !target->ended)
        rc = set_affinity(target->thread, set, size);
    spin_unlock_restore(&libc_threads_lock, enabled);
    return rc;
}

int pthread_getaffinity_np(pthread_t handle, size_t size, cpu_set_t *set)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);
    int rc = target && target->thread && !target->ended ? get_affinity(target->thread, size, set)
                                                        : ESRCH;

    spin_unlock_restore(&libc_threads_lock, enabled);
    return rc;
}

static int finish(int error)
{
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

/* As on Linux: the calling thread. */
int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
    return finish(pid && pid != getpid() ? ESRCH : set_affinity(current_thread(), set, size));
}

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    return finish(pid && pid != getpid() ? ESRCH : get_affinity(current_thread(), size, set));
}

int sched_getcpu(void)
{
    return (int)thread_vcpu(current_thread());
}

int pthread_setname_np(pthread_t handle, const char *name)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);
    int rc = !target || !target->thread || target->ended ? ESRCH
             : strlen(name) >= THREAD_NAME_MAX           ? ERANGE
                                                         : 0;

    if (rc == 0)
        thread_set_name(target->thread, name);
    spin_unlock_restore(&libc_threads_lock, enabled);
    return rc;
}

int pthread_getname_np(pthread_t handle, char *name, size_t size)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);
    int rc = !target || !target->thread || target->ended   ? ESRCH
             : strlen(thread_name(target->thread)) >= size ? ERANGE
                                                           : 0;

    if (rc == 0)
        strcpy(name, thread_name(target->thread));
    spin_unlock_restore(&libc_threads_lock, enabled);
    return rc;
}

int pthread_getattr_np(pthread_t handle, pthread_attr_t *attr)
{
    unsigned long bottom, top;
    struct pthread *target;
    bool enabled;

    pthread_attr_init(attr);
    enabled = spin_lock_save(&libc_threads_lock);
    target = libc_thread_find(handle);
    if (target && target->thread && !target->ended) {
        thread_stack_bounds(target->thread, &bottom, &top);
        attr->__stackaddr = target->has_stack ? target->stackaddr : (void *)bottom;
        attr->__stacksize = target->stacksize ? target->stacksize : top - bottom;
        attr->__detachstate = target->detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE;
        attr->__policy = target->policy;
        attr->__param.sched_priority = target->priority;
        attr->__inheritsched = PTHREAD_EXPLICIT_SCHED;
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
    return target ? 0 : ESRCH;
}
