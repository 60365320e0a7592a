/* SPDX-License-Identifier: MIT
 *
 * Frames of the grant table and of other domains: each lies where its virtual address in the vspace
 * region says.  Follows Xen public/grant_table.h and tools/libs/light/libxl_arm.c.
 */
#include "arch/grant.h"
#include "arch/mmu.h"
#include "arm/grant.h"
#include "hypercall/memory.h"
#include "mm/address_space.h"

static unsigned long first_frame, frames;

void arm_grant_init(uint64_t start, uint64_t size)
{
    first_frame = start / PAGE_SIZE + 1;
    frames = size / PAGE_SIZE - 1;
}

static mfn_t frame_for(const void *virt)
{
    return (mfn_t){ first_frame + ((unsigned long)virt - VSPACE_START) / PAGE_SIZE };
}

static bool has_frame(const void *virt)
{
    return frame_for(virt).n - first_frame < frames;
}

int arch_grant_map_frame(void *virt, unsigned int index)
{
    mfn_t frame = frame_for(virt);

    if (!has_frame(virt) ||
        hypercall_memory_add_to_physmap(XENMAPSPACE_grant_table, index, frame.n))
        return -XEN_ENOSPC;
    return map_frames(virt, &frame, 1, MAP_WRITE);
}

int arch_grant_prepare(void *virt, domid_t domid)
{
    mfn_t frame = frame_for(virt);

    (void)domid;
    return has_frame(virt) ? map_frames(virt, &frame, 1, MAP_WRITE) : -XEN_ENOSPC;
}

uint64_t arch_grant_host_addr(const void *virt)
{
    return (uint64_t)frame_for(virt).n << PAGE_SHIFT;
}

void arch_grant_release(void *virt)
{
    unmap_frames(virt, 1);
}
