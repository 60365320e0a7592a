/* SPDX-License-Identifier: MIT
 *
 * Who and where this domain is: from xenstore, Xen and the page allocator.
 */
#include <string.h>
#include <unistd.h>
#include "arch/cpu.h"
#include "hypercall/version.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "xenolith.h"

/* The value of `path`, cut to `size`; "" and an error when there is none. */
static int read_text(const char *path, char *out, size_t size)
{
    char *value;
    int rc = xenstore_read(XBT_NIL, path, &value, NULL);

    out[0] = '\0';
    if (rc)
        return rc;
    format_text(out, size, "%s", value);
    kmem_free(value);
    return 0;
}

static int identify(struct xenolith_info *info)
{
    static const char vm[] = "/vm/";
    uint64_t domid = DOMID_INVALID;
    char path[64];
    int rc = xenstore_read_unsigned(XBT_NIL, "domid", DOMID_INVALID, &domid);
    int rc_name = read_text("name", info->name, sizeof(info->name));
    int rc_uuid = read_text("vm", path, sizeof(path)); /* "/vm/UUID" */

    info->domid = (domid_t)domid;
    info->uuid[0] = '\0';
    if (rc_uuid == 0 && strncmp(path, vm, strlen(vm)) == 0)
        format_text(info->uuid, sizeof(info->uuid), "%s", path + strlen(vm));
    return rc ? rc : rc_name ? rc_name : rc_uuid;
}

int xenolith_get_info(struct xenolith_info *info)
{
    long version = hypercall_xen_version();
    xen_extraversion_t extra;
    struct page_stats pages;

    if (hypercall_xen_extraversion(extra))
        extra[0] = '\0';
    format_text(info->xen_version, sizeof(info->xen_version), "%ld.%ld%.15s", version >> 16,
                version & 0xffff, extra);
    info->guest_type = arch_guest_type;
    info->vcpus = (unsigned int)sysconf(_SC_NPROCESSORS_CONF);
    info->vcpus_up = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
    page_get_stats(&pages);
    info->memory = (uint64_t)pages.total * PAGE_SIZE;
    info->memory_free = (uint64_t)pages.free * PAGE_SIZE;
    return identify(info);
}
