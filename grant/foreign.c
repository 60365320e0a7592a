/* SPDX-License-Identifier: MIT
 *
 * Pages of other domains: map, unmap, copy.  Follows Xen public/grant_table.h.
 */
#include "arch/clock.h"
#include "arch/grant.h"
#include "arch/page.h"
#include "grant/grant.h"
#include "hypercall/grant_table.h"
#include "hypercall/sched.h"
#include "lib/log.h"

/* GNTST_eagain: the other domain's page is being swapped in. */
#define EAGAIN_NS (NS_PER_S / 2)

static const struct status {
    const char *name;
    int error;
} statuses[] = {
    [-GNTST_okay] = { "okay", 0 },
    [-GNTST_general_error] = { "general_error", -XEN_EIO },
    [-GNTST_bad_domain] = { "bad_domain", -XEN_ESRCH },
    [-GNTST_bad_gntref] = { "bad_gntref", -XEN_ENOENT },
    [-GNTST_bad_handle] = { "bad_handle", -XEN_EINVAL },
    [-GNTST_bad_virt_addr] = { "bad_virt_addr", -XEN_EINVAL },
    [-GNTST_bad_dev_addr] = { "bad_dev_addr", -XEN_EINVAL },
    [-GNTST_no_device_space] = { "no_device_space", -XEN_ENOSPC },
    [-GNTST_permission_denied] = { "permission_denied", -XEN_EACCES },
    [-GNTST_bad_page] = { "bad_page", -XEN_EINVAL },
    [-GNTST_bad_copy_arg] = { "bad_copy_arg", -XEN_EINVAL },
    [-GNTST_address_too_big] = { "address_too_big", -XEN_EINVAL },
    [-GNTST_eagain] = { "eagain", -XEN_EAGAIN },
    [-GNTST_no_space] = { "no_space", -XEN_ENOSPC },
};

/* What an operation on `number`, "ref" or "handle", came to: `rc` of its hypercall, then its own
 * status. */
static int outcome(const char *what, uint32_t number, domid_t domid, int rc, int16_t status)
{
    static const struct status unknown = { "unknown", -XEN_EIO };
    const struct status *s = &unknown;

    if (rc) {
        log_warn("grant: %s %u of domain %u: %s", what, number, domid, error_name(rc));
        return rc;
    }
    if (status <= 0 && -status < (int)ARRAY_SIZE(statuses))
        s = &statuses[-status];
    if (s->error)
        log_warn("grant: %s %u of domain %u: %s (%d)", what, number, domid, s->name, status);
    return s->error;
}

/* Is it worth another try? Gives the CPU away in between. */
static bool try_again(int rc, int16_t status, uint64_t *deadline_ns)
{
    if (rc || status != GNTST_eagain)
        return false;
    if (*deadline_ns == 0)
        *deadline_ns = arch_clock_ns() + EAGAIN_NS;
    hypercall_sched_yield();
    return arch_clock_ns() < *deadline_ns;
}

int grant_map(domid_t domid, grant_ref_t ref, void *virt, bool readonly, grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op;
    uint64_t deadline_ns = 0;
    int rc = arch_grant_prepare(virt, domid);

    if (rc)
        return rc;
    do {
        op = (struct gnttab_map_grant_ref){
            .host_addr = arch_grant_host_addr(virt),
            .flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0),
            .ref = ref,
            .dom = domid,
            .status = GNTST_general_error,
        };
        rc = hypercall_grant_map(&op, 1);
    } while (try_again(rc, op.status, &deadline_ns));
    rc = outcome("mapping ref", ref, domid, rc, op.status);
    if (rc)
        arch_grant_release(virt);
    else
        *handle = op.handle;
    return rc;
}

int grant_unmap(void *virt, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = { .host_addr = arch_grant_host_addr(virt),
                                         .handle = handle,
                                         .status = GNTST_general_error };
    int rc = hypercall_grant_unmap(&op, 1);

    rc = outcome("unmapping handle", handle, DOMID_SELF, rc, op.status);
    if (rc == 0)
        arch_grant_release(virt);
    return rc;
}

/* Fill one side of a copy; returns `flag` if it is a ref. */
static uint16_t fill_end(struct gnttab_copy_ptr *out, const struct grant_copy_end *end,
                         uint16_t flag)
{
    out->domid = end->domid;
    out->offset = end->offset;
    if (end->domid == DOMID_SELF) {
        out->u.gmfn = virt_to_mfn(end->page).n;
        return 0;
    }
    out->u.ref = end->ref;
    return flag;
}

int grant_copy(const struct grant_copy_end *from, const struct grant_copy_end *to, uint16_t len)
{
    const struct grant_copy_end *other = from->domid == DOMID_SELF ? to : from;
    struct gnttab_copy op;
    uint64_t deadline_ns = 0;
    int rc;

    do {
        op = (struct gnttab_copy){ .len = len, .status = GNTST_general_error };
        op.flags = fill_end(&op.source, from, GNTCOPY_source_gref) |
                   fill_end(&op.dest, to, GNTCOPY_dest_gref);
        rc = hypercall_grant_copy(&op, 1);
    } while (try_again(rc, op.status, &deadline_ns));
    return outcome("copying ref", other->ref, other->domid, rc, op.status);
}
