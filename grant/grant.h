/* SPDX-License-Identifier: MIT
 *
 * The grant table (version 1): lend a page to another domain, take it back, map or copy another
 * domain's page.  The table grows on demand; refs 0..7 belong to the toolstack and are never
 * touched.  Follows Xen public/grant_table.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include "lib/types.h"

#define GRANT_NONE ((grant_ref_t)0) /* the console's: never handed out, so it can say "none" */

/* Boot, thread context. 0 or -errno. */
int grant_init(void);

/* Let `domid` access `page` (of the direct map, a whole page). The page must stay until grant_end()
 * says 0. Any context that may allocate when the table has to grow; *ref out. 0, -XEN_ENOSPC when
 * the table is at its limit, -XEN_ENOMEM. */
int grant_access(domid_t domid, const void *page, bool readonly, grant_ref_t *ref);
/* Take it back. 0: nobody can reach the page any more and the ref is free. -XEN_EBUSY: the other
 * side still maps it; nothing changed, the page must not be reused. Any context. */
int grant_end(grant_ref_t ref);
/* Take it back whatever happens: frees `page` (one page of pages_alloc(0)) at once, or parks it
 * with its ref until the other side lets go (retried in later calls). Any context. */
void grant_end_and_free(grant_ref_t ref, void *page);

/* For drivers that lend and take back a page for each packet: a ref of their own that allows
 * nothing yet. Lending and taking back by it needs no lock; the driver sees to it that nobody else
 * uses that ref meanwhile. It ends as any ref does: grant_end(), grant_end_and_free(). 0,
 * -XEN_ENOSPC, -XEN_ENOMEM. */
int grant_reserve(grant_ref_t *ref);
/* As grant_access(), by a reserved ref that allows nothing. 0; -XEN_EINVAL: the frame can't be
 * named. Any context (both). */
int grant_allow(grant_ref_t ref, domid_t domid, const void *page, bool readonly);
/* Take the page back, keep the ref. 0; -XEN_EBUSY as grant_end(). */
int grant_forbid(grant_ref_t ref);

/* Map a page that `domid` granted at `virt` (from vspace_alloc()). *handle is for grant_unmap().
 * 0, or -errno; Xen's grant status is logged by name. -XEN_EOPNOTSUPP: a page of our own, which
 * only a PV domain can map. Thread context. */
int grant_map(domid_t domid, grant_ref_t ref, void *virt, bool readonly, grant_handle_t *handle);
int grant_unmap(void *virt, grant_handle_t handle);

/* One side of a copy: a page of ours, or a granted page. */
struct grant_copy_end {
    domid_t domid; /* DOMID_SELF: `page`, else `ref` */
    grant_ref_t ref;
    const void *page; /* of the direct map */
    uint16_t offset;  /* offset + len within the page */
};
/* Let Xen copy `len` bytes. 0, or -errno; GNTST_eagain is retried for a bounded time. Thread
 * context. */
int grant_copy(const struct grant_copy_end *from, const struct grant_copy_end *to, uint16_t len);

struct grant_stats {
    unsigned int frames, max_frames; /* of the table */
    unsigned int used;               /* refs handed out now */
    unsigned int parked;             /* of these, waiting for the other side */
};
void grant_get_stats(struct grant_stats *stats);
