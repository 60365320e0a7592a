/* SPDX-License-Identifier: MIT
 *
 * Which vCPUs the toolstack wants: cpu/N/availability in the domain's directory is "online" or
 * "offline", for each vCPU the domain may have.  Follows Xen tools/libs/light/libxl_domain.c
 * (libxl_set_vcpuonline) and docs/misc/xenstore-paths.pandoc.
 */
#include <string.h>
#include "control/control.h"
#include "kernel/smp.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/xenstore.h"

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
    if (smp_vcpu_exists(1))
        smp_start(wanted);
}
