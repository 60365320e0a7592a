/* SPDX-License-Identifier: MIT
 *
 * threads.h in a Linux domU, where the program is /init, and on any Linux for trying it.  An IPI is
 * membarrier(): the kernel interrupts each CPU that runs a thread of the calling process.  The
 * domain's own time is Xen's, by linux_init.c.
 *
 * No part of any Xenolith domain.  ABI: Linux include/uapi/linux/membarrier.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/membarrier.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/sched.h>
#include "linux_init.h"
#include "threads.h"

static long vcpus;

void system_begin(void)
{
    vcpus = sysconf(_SC_NPROCESSORS_ONLN); /* of those we may run on: not yet one */
    if (getpid() == 1)
        linux_init();
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

void system_end(void)
{
    if (getpid() == 1)
        linux_power_off();
}

uint64_t system_own_ns(void)
{
    uint64_t ns = 0;

    for (long vcpu = 0; vcpu < vcpus; vcpu++)
        ns += linux_own_ns(vcpu);
    return ns;
}

void system_block(const volatile bool *unless)
{
    if (!*unless) /* an event between the two is handled, and the next tick ends it */
        linux_hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, NULL);
}

int system_ipi(void)
{
#ifdef __aarch64__
    return ENOSYS; /* who is in system_block() goes on computing there */
#endif
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) ? errno : 0;
}
