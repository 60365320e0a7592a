/* SPDX-License-Identifier: MIT
 *
 * Frames of the grant table and of other domains with hardware assistance: they come to lie behind
 * all memory, each where its virtual address in the vspace region says.
 */
#include "arch/mmu.h"
#include "hypercall/memory.h"
#include "mm/address_space.h"
#include "x86/hvm/hvm.h"

static mfn_t frame_for(const void *virt)
{
    return (mfn_t){ hvm_frames_of_others + ((unsigned long)virt - VSPACE_START) / PAGE_SIZE };
}

int hvm_grant_map_frame(void *virt, unsigned int index)
{
    mfn_t frame = frame_for(virt);
    int rc = hypercall_memory_add_to_physmap(XENMAPSPACE_grant_table, index, frame.n);

    return rc ? -XEN_ENOSPC : map_frames(virt, &frame, 1, MAP_WRITE);
}

/* A page has one place in the domain: mapped as another one's, Xen takes it from where it was. */
int hvm_grant_prepare(void *virt, domid_t domid)
{
    mfn_t frame = frame_for(virt);

    if (domid == DOMID_SELF || domid == hvm_domid())
        return -XEN_EOPNOTSUPP;
    return map_frames(virt, &frame, 1, MAP_WRITE);
}

uint64_t hvm_grant_host_addr(const void *virt)
{
    return frame_for(virt).n << PAGE_SHIFT;
}

void hvm_grant_release(void *virt)
{
    unmap_frames(virt, 1);
}
