/* SPDX-License-Identifier: MIT
 *
 * Which vCPUs the toolstack wants: cpu/N/availability in the domain's directory is "online" or
 * "offline", for each vCPU the domain may have.  Follows Xen tools/libs/light/libxl_domain.c
 * (libxl_set_vcpuonline) and docs/misc/xenstore-paths.pandoc.
 */
#include <string.h>
#include "control/control.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/wait.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/xenstore.h"

static struct signal changed = SIGNAL_INIT(changed); /* something under cpu/ */
static bool silent; /* xenstored did not answer once: don't wait for it again and again */

/* Online, unless the toolstack says no: without xenstore all vCPUs are used. */
static bool wanted(unsigned int vcpu)
{
    char path[40], *value = NULL;
    bool offline;
    int rc;

    if (silent)
        return true;
    format_text(path, sizeof(path), "cpu/%u/availability", vcpu);
    rc = xenstore_read(XBT_NIL, path, &value, NULL);
    silent = rc == -XEN_ETIMEDOUT;
    offline = rc == 0 && strcmp(value, "offline") == 0;
    if (rc == 0 && !offline && strcmp(value, "online"))
        log_warn("%s is '%.40s', neither online nor offline: taken as online", path, value);
    kmem_free(value);
    return !offline;
}

void control_start_vcpus(void)
{
    smp_start(wanted);
}

static void apply(unsigned int vcpu)
{
    bool online = wanted(vcpu);
    int rc;

    if (online == vcpu_set_has(&vcpus_online, vcpu))
        return;
    rc = online ? smp_vcpu_up(vcpu) : smp_vcpu_down(vcpu);
    if (rc && vcpu == 0)
        log_warn("cpu/0/availability is offline: vCPU 0 stays, use xl shutdown or xl pause");
    else if (rc)
        log_error("cpu/%u/availability is %s: not done: %s", vcpu, online ? "online" : "offline",
                  error_name(rc));
}

/* A thread of its own: a vCPU may take a while to come or go, and watches must not wait. */
static void follow(void *unused)
{
    (void)unused;
    for (;;) {
        signal_wait(&changed, TIME_NEVER);
        silent = false;
        for (unsigned int vcpu = 0; smp_vcpu_exists(vcpu) && !silent; vcpu++)
            apply(vcpu);
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
        rc = xenstore_watch(&watch);
    }
    if (rc)
        log_error("cpu: not watched: %s; xl vcpu-set will not work", error_name(rc));
}
