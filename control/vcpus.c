/* SPDX-License-Identifier: MIT
 *
 * Which vCPUs the toolstack wants: cpu/N/availability in the domain's directory is "online" or
 * "offline", for each vCPU the domain may have.  Follows Xen tools/libs/light/libxl_domain.c
 * (libxl_set_vcpuonline) and docs/misc/xenstore-paths.pandoc.
 */
#include <string.h>
#include "control/control.h"
#include "control/private.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/xenstore.h"

static struct signal changed = SIGNAL_INIT(changed); /* something under cpu/ */

/* What the toolstack says of a vCPU; without a word, and when it is nonsense, it is to be online.
 * 0, or -XEN_ETIMEDOUT: xenstored does not answer. */
static int availability(unsigned int vcpu, bool *online)
{
    char path[40], *value = NULL;
    int rc;

    format_text(path, sizeof(path), "cpu/%u/availability", vcpu);
    rc = xenstore_read(XBT_NIL, path, &value, NULL);
    *online = rc || strcmp(value, "offline");
    if (rc == 0 && *online && strcmp(value, "online"))
        log_warn("%s is '%.40s', neither online nor offline: taken as online", path, value);
    kmem_free(value);
    return rc == -XEN_ETIMEDOUT ? rc : 0;
}

/* At boot: without xenstore all vCPUs are used, and it is not waited for again and again. */
static bool wanted(unsigned int vcpu)
{
    static bool silent;
    bool online = true;

    if (!silent)
        silent = availability(vcpu, &online) != 0;
    return online;
}

void control_start_vcpus(void)
{
    smp_start(wanted);
}

/* Have `vcpu` be as it is wanted. 0, or -XEN_ETIMEDOUT: that could not be learnt. */
static int apply(unsigned int vcpu)
{
    bool online;
    int rc = availability(vcpu, &online);

    if (rc || online == vcpu_set_has(&vcpus_online, vcpu))
        return rc;
    rc = online ? smp_vcpu_up(vcpu) : smp_vcpu_down(vcpu);
    if (rc && vcpu == 0)
        log_warn("cpu/0/availability is offline: vCPU 0 stays, use xl shutdown or xl pause");
    else if (rc)
        log_error("cpu/%u/availability is %s: not done: %s", vcpu, online ? "online" : "offline",
                  error_name(rc));
    return 0;
}

/* A thread of its own: a vCPU may take a while to come or go, and watches must not wait. */
static void follow(void *unused)
{
    uint64_t deadline_ns = TIME_NEVER;

    (void)unused;
    for (;;) {
        signal_wait(&changed, deadline_ns);
        deadline_ns = TIME_NEVER;
        for (unsigned int vcpu = 0; smp_vcpu_exists(vcpu); vcpu++) {
            if (apply(vcpu)) {
                deadline_ns = time_after_ns(CONTROL_AGAIN_NS); /* the change must not be lost */
                break;
            }
        }
    }
}

static void cpu_changed(struct xenstore_watch *watch, const char *path)
{
    (void)watch;
    (void)path;
    signal_raise(&changed);
}

void control_watch_vcpus(void)
{
    static struct xenstore_watch watch = { .path = "cpu", .fn = cpu_changed };
    struct thread *thread;
    int rc;

    if (!smp_vcpu_exists(1))
        return;
    rc = thread_create(&thread, "vcpus", KERNEL_STACK_ORDER, PRIORITY_HIGH, follow, NULL);
    if (rc == 0) {
        thread_detach(thread);
        rc = control_watch(&watch);
    }
    if (rc)
        log_error("cpu: not watched: %s; xl vcpu-set will not work", error_name(rc));
}
