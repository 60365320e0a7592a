/* SPDX-License-Identifier: MIT
 *
 * Linux's side of the benchmark table: the whole user space of a Linux domU, measuring what
 * apps/bench measures in the same words, `bench NAME ELAPSED OWN`, then powering off.  It is /init
 * of an initramfs that tools/bench.py makes, statically linked with the host's C library and
 * linux_init.c. A benchmark whose device is missing says so in a "# NAME:
 * reason" line.
 *
 * What is compared: each operation as a Linux program gets it, so a hypercall, an event or a grant
 * goes by the kernel's device files and the system call is part of its price.
 *
 * No part of any Xenolith domain.  ABI: Linux include/uapi/xen/ (libxen-dev has a copy as
 * xen/sys/), Xen public/version.h, vcpu.h, io/xs_wire.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/io/xs_wire.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/gntalloc.h>
#include <xen/version.h>
#include "linux_init.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct bench {
    const char *name;
    unsigned int turns;
    int (*prepare)(void); /* NULL: nothing to; else 0 or -1 with errno set */
    void (*turn)(void);
    void (*finish)(void);
    unsigned int per_turn; /* operations in one turn */
};

static int device = -1;
static unsigned long failed; /* operations of the present benchmark that did */

static void must(int ok)
{
    failed += !ok;
}

static int open_device(const char *path)
{
    device = open(path, O_RDWR | O_CLOEXEC);
    return device < 0 ? -1 : 0;
}

static void close_device(void)
{
    close(device);
}

static void nothing(void)
{
    asm volatile("" ::: "memory");
}

static void read_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
}

static void null_syscall(void)
{
    syscall(SYS_getppid);
}

static int privcmd_prepare(void)
{
    errno = ENODEV;
    return linux_has_hypercalls() ? 0 : -1;
}

static void null_hypercall(void)
{
    must(linux_hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, NULL) > 0);
}

/* A port and its other end, both ours: notifying one makes the other readable. */
static uint32_t ports[2];

static int event_prepare(void)
{
    struct ioctl_evtchn_bind_unbound_port unbound = { DOMID_SELF };
    struct ioctl_evtchn_bind_interdomain interdomain = { DOMID_SELF, 0 };

    if (open_device("/dev/xen/evtchn"))
        return -1;
    ports[0] = interdomain.remote_port = ioctl(device, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &unbound);
    ports[1] = ioctl(device, IOCTL_EVTCHN_BIND_INTERDOMAIN, &interdomain);
    if ((int)ports[0] >= 0 && (int)ports[1] >= 0)
        return 0;
    close_device();
    return -1;
}

static void event_turn(void)
{
    struct ioctl_evtchn_notify notify = { ports[1] };
    uint32_t port = 0;

    must(ioctl(device, IOCTL_EVTCHN_NOTIFY, &notify) == 0);
    must(read(device, &port, sizeof(port)) == sizeof(port) && port == ports[0]);
    must(write(device, &port, sizeof(port)) == sizeof(port)); /* unmask */
}

static pthread_t other;
static volatile int stop;

static void *yield_until_stopped(void *unused)
{
    while (!stop)
        sched_yield();
    return unused;
}

/* In SCHED_FIFO, where a yield always means the other thread. */
static int set_policy(int policy, int priority)
{
    struct sched_param param = { .sched_priority = priority };

    return sched_setscheduler(0, policy, &param);
}

static int yield_prepare(void)
{
    stop = 0;
    return set_policy(SCHED_FIFO, 1) || pthread_create(&other, NULL, yield_until_stopped, NULL) ? -1
                                                                                                : 0;
}

static void yield_turn(void)
{
    sched_yield();
}

static void yield_finish(void)
{
    stop = 1;
    pthread_join(other, NULL);
    set_policy(SCHED_OTHER, 0);
}

static sem_t ping, pong;

static void *answer(void *unused)
{
    for (;;) {
        sem_wait(&ping);
        if (stop)
            return unused;
        sem_post(&pong);
    }
}

static int pong_prepare(void)
{
    stop = 0;
    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    return pthread_create(&other, NULL, answer, NULL) ? -1 : 0;
}

static void pong_turn(void)
{
    sem_post(&ping);
    sem_wait(&pong);
}

static void pong_finish(void)
{
    stop = 1;
    sem_post(&ping);
    pthread_join(other, NULL);
}

static void *end_at_once(void *unused)
{
    return unused;
}

static void create_join(void)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, end_at_once, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void mutex_turn(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static int timer_prepare(void)
{
    device = timerfd_create(CLOCK_MONOTONIC, 0);
    return device < 0 ? -1 : 0;
}

static void timer_turn(void)
{
    struct itimerspec arm = { .it_value = { .tv_sec = 1 } }, cancel = { 0 };

    must(timerfd_settime(device, 0, &arm, NULL) == 0);
    must(timerfd_settime(device, 0, &cancel, NULL) == 0);
}

static void *volatile block;

static void malloc_turn(void)
{
    block = malloc(100);
    free(block);
}

static void page_turn(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(page != MAP_FAILED);
    *page = 1;
    munmap(page, 4096);
}

static char text[64];

static void printf_turn(void)
{
    snprintf(text, sizeof(text), "%d %s", 12345, "text");
}

static void printf_float_turn(void)
{
    snprintf(text, sizeof(text), "%.6f", 3.14159);
}

static int xenstore_prepare(void)
{
    return open_device("/dev/xen/xenbus");
}

static int read_all(void *to, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(device, (char *)to + done, len - done);

        if (n <= 0)
            return 0;
        done += n;
    }
    return 1;
}

static void xenstore_turn(void)
{
    struct {
        struct xsd_sockmsg head;
        char path[sizeof("domid")];
    } request = { { .type = XS_READ, .len = sizeof("domid") }, "domid" };
    struct xsd_sockmsg head;
    char value[16];

    must(write(device, &request, sizeof(request.head) + sizeof(request.path)) > 0);
    must(read_all(&head, sizeof(head)) && head.type == XS_READ && head.len < sizeof(value) &&
         read_all(value, head.len));
}

static int grant_prepare(void)
{
    return open_device("/dev/xen/gntalloc");
}

static void grant_turn(void)
{
    struct ioctl_gntalloc_alloc_gref alloc = { .flags = GNTALLOC_FLAG_WRITABLE, .count = 1 };
    struct ioctl_gntalloc_dealloc_gref dealloc;

    must(ioctl(device, IOCTL_GNTALLOC_ALLOC_GREF, &alloc) == 0);
    dealloc = (struct ioctl_gntalloc_dealloc_gref){ alloc.index, 1 };
    must(ioctl(device, IOCTL_GNTALLOC_DEALLOC_GREF, &dealloc) == 0);
}

static const struct bench benches[] = {
    { "empty_loop", 100000, NULL, nothing, NULL, 1 },
    { "clock_read", 20000, NULL, read_clock, NULL, 1 },
    { "null_syscall", 20000, NULL, null_syscall, NULL, 1 },
    { "null_hypercall", 20000, privcmd_prepare, null_hypercall, NULL, 1 },
    { "event_to_self", 5000, event_prepare, event_turn, close_device, 1 },
    { "thread_switch", 5000, yield_prepare, yield_turn, yield_finish, 2 },
    { "thread_wake_switch", 5000, pong_prepare, pong_turn, pong_finish, 2 },
    { "thread_create_join", 1000, NULL, create_join, NULL, 1 },
    { "mutex_lock_unlock", 100000, NULL, mutex_turn, NULL, 1 },
    { "timer_arm_cancel", 10000, timer_prepare, timer_turn, close_device, 1 },
    { "malloc_free_pair", 100000, NULL, malloc_turn, NULL, 1 },
    { "page_alloc_free_pair", 5000, NULL, page_turn, NULL, 1 },
    { "snprintf_int_string", 20000, NULL, printf_turn, NULL, 1 },
    { "snprintf_float", 20000, NULL, printf_float_turn, NULL, 1 },
    { "xenstore_read", 500, xenstore_prepare, xenstore_turn, close_device, 1 },
    { "grant_access_end", 5000, grant_prepare, grant_turn, close_device, 1 },
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void run(const struct bench *bench)
{
    double operations = (double)bench->turns * bench->per_turn;
    uint64_t start_ns, start_own_ns, ns, own;

    if (bench->prepare && bench->prepare()) {
        printf("# %s: %s\n", bench->name, strerror(errno));
        return;
    }
    for (unsigned int i = 0; i < bench->turns / 10; i++) /* what is slow only at first */
        bench->turn();
    failed = 0;
    start_own_ns = linux_own_ns(0);
    start_ns = now_ns();
    for (unsigned int i = 0; i < bench->turns; i++)
        bench->turn();
    ns = now_ns() - start_ns;
    own = linux_own_ns(0) - start_own_ns;
    if (bench->finish)
        bench->finish();
    if (failed)
        printf("# %s: %lu operations failed\n", bench->name, failed);
    else
        printf("bench %s %.1f %.1f\n", bench->name, ns / operations, own / operations);
}

int main(void)
{
    linux_init();
    for (size_t i = 0; i < ARRAY_SIZE(benches); i++)
        run(&benches[i]);
    linux_power_off();
    return 1;
}
