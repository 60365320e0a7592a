/* SPDX-License-Identifier: MIT
 *
 * A program that is all there is in a Linux domU: it begins as /init of an initramfs and ends by
 * powering off.  In between it may make hypercalls, by privcmd.
 *
 * No part of any Xenolith domain.  ABI: Linux include/uapi/xen/privcmd.h (libxen-dev has a copy as
 * xen/sys/), Xen public/vcpu.h.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/sys/privcmd.h>
#include <xen/vcpu.h>
#include "linux_init.h"

#define VCPUS_MAX 8

static int privcmd = -1;
static struct vcpu_runstate_info records[VCPUS_MAX];

/* The names in /modules begin with their place in the order. privcmd has to be told that a domU may
 * make any hypercall; the other modules, and older ones, only warn of a parameter they do not know.
 */
static void load_modules(void)
{
    struct dirent **names;
    int count = scandir("/modules", &names, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char path[300];
        int file;

        if (names[i]->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
        file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0 || syscall(SYS_finit_module, file, "unrestricted=1", 0))
            printf("# %s: %s\n", path, strerror(errno));
        close(file);
    }
}

/* Xen on ARM does not tell how long a vCPU has run, but keeps a record of it where it is asked to:
 * in place of the kernel's, which from then on sees no stolen time. On the vCPU itself, which then
 * waits: with that the record begins. */
static void keep_record(unsigned int vcpu)
{
    struct vcpu_register_runstate_memory_area area = { .addr.v = &records[vcpu] };
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(vcpu, &set);
    memset(&records[vcpu], 1, sizeof(records[vcpu])); /* Xen does not fault it in */
    if (sched_setaffinity(0, sizeof(set), &set) ||
        linux_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, vcpu, &area))
        printf("# record of vCPU %u: %s\n", vcpu, strerror(errno));
    usleep(1000);
}

static void keep_records(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t all;

    sched_getaffinity(0, sizeof(all), &all);
    for (unsigned int vcpu = 0; vcpu < VCPUS_MAX && vcpu < count; vcpu++)
        keep_record(vcpu);
    sched_setaffinity(0, sizeof(all), &all);
}

static int tells_runstate(unsigned int vcpu, struct vcpu_runstate_info *info)
{
    memset(info, 0, sizeof(*info)); /* Xen does not fault it in */
    return linux_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, vcpu, info) == 0;
}

void linux_init(void)
{
    struct vcpu_runstate_info info;

    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    load_modules();
    privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
    if (linux_has_hypercalls() && !tells_runstate(0, &info))
        keep_records();
}

void linux_power_off(void)
{
    printf("linux-domu: done\n");
    tcdrain(1);
    usleep(200000); /* hvc's output is its own thread's */
    reboot(RB_POWER_OFF);
}

int linux_has_hypercalls(void)
{
    return privcmd >= 0;
}

long linux_hypercall(uint64_t op, uint64_t a1, uint64_t a2, void *a3)
{
    struct privcmd_hypercall call = { op, { a1, a2, (uintptr_t)a3 } };

    return ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);
}

/* Written when a vCPU begins to run and when it stops. Of the one that asks, what has passed since
 * is added: its beginning is by Xen's clock, which is ahead of ours by always the same. */
static uint64_t recorded_ns(unsigned int vcpu)
{
    const volatile struct vcpu_runstate_info *record = &records[vcpu];
    uint64_t entered_ns, ns;
    struct timespec now;

    do {
        entered_ns = record->state_entry_time;
        ns = record->time[RUNSTATE_running];
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((int)vcpu == sched_getcpu())
            ns += (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - entered_ns;
    } while (entered_ns != record->state_entry_time);
    return ns;
}

uint64_t linux_own_ns(unsigned int vcpu)
{
    static struct vcpu_runstate_info info;

    if (tells_runstate(vcpu, &info))
        return info.time[RUNSTATE_running];
    return vcpu < VCPUS_MAX ? recorded_ns(vcpu) : 0;
}
