/* SPDX-License-Identifier: MIT
 *
 * Grant table hypercalls, typed.  The hypercall's own result is 0 or a negative Xen errno; each
 * entry also has a status (GNTST_*) that the caller must look at.  Follows Xen
 * public/grant_table.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include "hypercall/hypercall.h"

#define hypercall_grant(cmd, ops, count)                                                           \
    ((int)hypercall3(__HYPERVISOR_grant_table_op, cmd, ops, count))

/* Make the table `nr_frames` long and learn its frames (in `frames`, nr_frames of them). */
static inline int hypercall_grant_setup_table(uint32_t nr_frames, xen_pfn_t *frames,
                                              int16_t *status)
{
    struct gnttab_setup_table op = { .dom = DOMID_SELF, .nr_frames = nr_frames };
    int rc;

    set_xen_guest_handle(op.frame_list, frames);
    rc = hypercall_grant(GNTTABOP_setup_table, &op, 1);
    *status = op.status;
    return rc;
}

static inline int hypercall_grant_query_size(struct gnttab_query_size *op)
{
    op->dom = DOMID_SELF;
    return hypercall_grant(GNTTABOP_query_size, op, 1);
}

static inline int hypercall_grant_map(struct gnttab_map_grant_ref *ops, unsigned int count)
{
    return hypercall_grant(GNTTABOP_map_grant_ref, ops, count);
}

static inline int hypercall_grant_unmap(struct gnttab_unmap_grant_ref *ops, unsigned int count)
{
    return hypercall_grant(GNTTABOP_unmap_grant_ref, ops, count);
}

static inline int hypercall_grant_copy(struct gnttab_copy *ops, unsigned int count)
{
    return hypercall_grant(GNTTABOP_copy, ops, count);
}
