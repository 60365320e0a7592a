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

static int privcmd = -1;

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

void linux_init(void)
{
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    load_modules();
    privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
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

uint64_t linux_own_ns(unsigned int vcpu)
{
    static struct vcpu_runstate_info
        info; /* touched before: Xen writes it without faulting it in */

    struct timespec now;

    memset(&info, 0, sizeof(info));
    if (linux_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, vcpu, &info) == 0)
        return info.time[RUNSTATE_running];
    clock_gettime(CLOCK_MONOTONIC, &now); /* Xen on ARM does not say */
    return vcpu ? 0 : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
