/* SPDX-License-Identifier: MIT
 *
 * Frames of the grant table and of other domains in a PV domain: machine frames, which Xen maps or
 * lets us map.  Follows Xen public/grant_table.h.
 */
#include "hypercall/grant_table.h"
#include "mm/address_space.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "x86/pv/pv.h"

int pv_grant_map_frame(void *virt, unsigned int index)
{
    xen_pfn_t *frames = kmem_alloc((index + 1) * sizeof(*frames));
    int16_t status = GNTST_okay;
    mfn_t last;
    int rc;

    if (!frames)
        return -XEN_ENOMEM;
    rc = hypercall_grant_setup_table(index + 1, frames, &status);
    if (rc == 0 && status != GNTST_okay)
        rc = -XEN_ENOSPC;
    if (rc == 0) {
        last.n = frames[index];
        rc = map_frames(virt, &last, 1, MAP_WRITE);
    }
    kmem_free(frames);
    return rc;
}

/* Xen writes the entry of `virt` itself and wants its table to exist: map something there for a
 * moment. */
int pv_grant_prepare(void *virt, domid_t domid)
{
    void *page = pages_alloc(0);
    mfn_t frame;
    int rc;

    (void)domid;
    if (!page)
        return -XEN_ENOMEM;
    frame = virt_to_mfn(page);
    rc = map_frames(virt, &frame, 1, MAP_READ);
    if (rc == 0)
        unmap_frames(virt, 1);
    pages_free(page, 0);
    return rc;
}

uint64_t pv_grant_host_addr(const void *virt)
{
    return (unsigned long)virt;
}

void pv_grant_release(void *virt)
{
    (void)virt; /* unmapping took the entry away */
}
