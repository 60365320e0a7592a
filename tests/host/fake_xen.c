/* SPDX-License-Identifier: MIT
 *
 * The fake Xen's door: every hypercall of the code under test arrives here.  What it does not know
 * is -XEN_ENOSYS, as in Xen.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "arch/clock.h"
#include "lib/irq.h"
#include "lib/log.h"
#include "tests/host/fake_xen.h"

#define NR_HYPERCALLS 64
#define NR_COMMANDS   64

struct fake_xen fake_xen;
struct fake_catch fake_catch;
static unsigned int calls[NR_HYPERCALLS][NR_COMMANDS];
static pthread_mutex_t xen_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[1 << 16]; /* everything logged, as far as it fits */
static size_t log_len;

void fake_xen_lock(void)
{
    pthread_mutex_lock(&xen_lock);
}

void fake_xen_unlock(void)
{
    pthread_mutex_unlock(&xen_lock);
}

static void sink_write(struct log_sink *sink, const char *text, size_t len)
{
    (void)sink;
    len = MIN(len, sizeof(log_text) - 1 - log_len);
    memcpy(log_text + log_len, text, len);
    log_len += len;
    if (getenv("TEST_LOG"))
        fwrite(text, 1, len, stderr);
}

unsigned int fake_logged(const char *text)
{
    unsigned int count = 0;

    for (const char *at = log_text; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

void fake_xen_init(void)
{
    static struct log_sink sink = { .write = sink_write };

    fake_xen = (struct fake_xen){
        .version = 4 << 16 | 17,
        .vcpus = 4,
        .has_fifo = true,
        .max_ports = 1024,
        .max_grant_frames = 64,
        .max_pages = 8192,
    };
    for (unsigned int i = 0; i < MAX_VCPUS; i++)
        fake_xen.timer_ns[i] = TIME_NEVER;
    fake_mm_init();
    fake_xen.shared_mfn = fake_xen_frame();
    fake_xen.shared = fake_frame_at(fake_xen.shared_mfn.n);
    fake_cpu_init();
    log_add_sink(&sink);
}

struct shared_info *fake_shared_info(void)
{
    return fake_xen.shared;
}

_Noreturn void fake_domain_ends(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(fake_xen.last_words, sizeof(fake_xen.last_words), format, args);
    va_end(args);
    if (fake_catch.active)
        longjmp(fake_catch.at, 1);
    printf("  # the domain ended: %s\n", fake_xen.last_words);
    fflush(stdout);
    _exit(1);
}

unsigned int fake_hypercalls(unsigned int nr, unsigned int cmd)
{
    return __atomic_load_n(&calls[nr % NR_HYPERCALLS][cmd % NR_COMMANDS], __ATOMIC_SEQ_CST);
}

static long version_op(unsigned int cmd, void *arg)
{
    struct xen_feature_info *info = arg;

    switch (cmd) {
    case XENVER_version:
        return fake_xen.version;
    case XENVER_extraversion:
        strcpy(arg, ".0-fake");
        return 0;
    case XENVER_get_features:
        info->submap = info->submap_idx ? 0 : fake_xen.features;
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

static bool upcall_due(void)
{
    return __atomic_load_n(&this_percpu()->vcpu_info.evtchn_upcall_pending, __ATOMIC_SEQ_CST);
}

/* A wait of the vCPU is a loop of short real ones: whoever raises an event need not know of it. */
static long sched_op(unsigned int cmd, void *arg)
{
    const struct sched_poll *poll = arg;
    const struct sched_shutdown *end = arg;

    switch (cmd) {
    case SCHEDOP_yield:
        sched_yield();
        return 0;
    case SCHEDOP_block:
        while (!upcall_due())
            fake_pause_ms(1);
        upcalls_enable();
        return 0;
    case SCHEDOP_poll:
        if (poll->nr_ports > 128)
            return -XEN_EINVAL;
        while (!upcall_due() && !fake_any_pending(poll->ports.p, poll->nr_ports) &&
               (poll->timeout == 0 || arch_clock_ns() < poll->timeout))
            fake_pause_ms(1);
        return 0;
    case SCHEDOP_shutdown:
        fake_domain_ends("shutdown %u", end->reason);
    default:
        return -XEN_ENOSYS;
    }
}

static long vcpu_op(unsigned int cmd, unsigned long vcpu, void *arg)
{
    const struct vcpu_set_singleshot_timer *timer = arg;

    if (vcpu >= fake_xen.vcpus)
        return -XEN_ENOENT;
    switch (cmd) {
    case VCPUOP_register_vcpu_info: /* ours is always in percpu */
        return 0;
    case VCPUOP_is_up:
        return percpus[vcpu] != NULL;
    case VCPUOP_stop_periodic_timer:
        return 0;
    case VCPUOP_set_singleshot_timer:
        fake_xen.timer_ns[vcpu] = timer->timeout_abs_ns;
        return 0;
    case VCPUOP_stop_singleshot_timer:
        fake_xen.timer_ns[vcpu] = TIME_NEVER;
        return 0;
    case VCPUOP_get_runstate_info:
        memset(arg, 0, sizeof(struct vcpu_runstate_info));
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

static long memory_op(unsigned int cmd)
{
    if (cmd == XENMEM_current_reservation || cmd == XENMEM_maximum_reservation)
        return fake_xen.max_pages;
    return -XEN_ENOSYS;
}

static long dispatch(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
    switch (nr) {
    case __HYPERVISOR_event_channel_op:
        return fake_event_op(a1, (void *)a2);
    case __HYPERVISOR_grant_table_op:
        return fake_grant_op(a1, (void *)a2, a3);
    case __HYPERVISOR_sched_op:
        return sched_op(a1, (void *)a2);
    case __HYPERVISOR_vcpu_op:
        return vcpu_op(a1, a2, (void *)a3);
    case __HYPERVISOR_xen_version:
        return version_op(a1, (void *)a2);
    case __HYPERVISOR_memory_op:
        return memory_op(a1);
    default:
        return -XEN_ENOSYS;
    }
}

long fake_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
                    unsigned long a4, unsigned long a5)
{
    long rc = FAKE_GO_ON;

    (void)a4;
    (void)a5;
    __atomic_fetch_add(&calls[nr % NR_HYPERCALLS][a1 % NR_COMMANDS], 1, __ATOMIC_SEQ_CST);
    if (fake_xen.hook)
        rc = fake_xen.hook(nr, a1, (void *)a2, a3);
    if (rc == FAKE_GO_ON)
        rc = dispatch(nr, a1, a2, a3);
    fake_deliver();
    return rc;
}
