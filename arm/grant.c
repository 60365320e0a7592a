/* SPDX-License-Identifier: MIT
 *
 * Where frames of the grant table and of other domains lie physically: in the region that is kept
 * free for them.  Follows Xen public/grant_table.h and tools/libs/light/libxl_arm.c.
 */
#include "arch/grant.h"
#include "arch/mmu.h"
#include "arm/grant.h"
#include "arm/mmu.h"
#include "hypercall/memory.h"
#include "lib/atomic.h"
#include "mm/address_space.h"

#define FRAMES_MAX 4096 /* the region's, as it is made: 16 MiB */

static unsigned long first_frame, frames;
static unsigned long taken[FRAMES_MAX / BITS_PER_LONG];

void arm_grant_init(uint64_t start, uint64_t size)
{
    first_frame = start / PAGE_SIZE + 1;
    frames = MIN(size / PAGE_SIZE, FRAMES_MAX + 1UL) - 1;
}

/* A frame number where nothing lies; false: there is none. */
static bool take(mfn_t *frame)
{
    for (unsigned int i = 0; i < frames; i++) {
        if (!bit_test(taken, i) && !bit_test_and_set(taken, i)) {
            frame->n = first_frame + i;
            return true;
        }
    }
    return false;
}

static void give_back(unsigned long frame)
{
    bit_test_and_clear(taken, (unsigned int)(frame - first_frame));
}

int arch_grant_map_frame(void *virt, unsigned int index)
{
    mfn_t frame;

    if (!take(&frame))
        return -XEN_ENOSPC;
    if (hypercall_memory_add_to_physmap(XENMAPSPACE_grant_table, index, frame.n)) {
        give_back(frame.n);
        return -XEN_ENOSPC;
    }
    return map_frames(virt, &frame, 1, MAP_WRITE);
}

int arch_grant_prepare(void *virt, domid_t domid)
{
    mfn_t frame;
    int rc;

    (void)domid;
    if (!take(&frame))
        return -XEN_ENOSPC;
    rc = map_frames(virt, &frame, 1, MAP_WRITE);
    if (rc)
        give_back(frame.n);
    return rc;
}

uint64_t arch_grant_host_addr(const void *virt)
{
    return arm_mmu_paddr(virt);
}

void arch_grant_release(void *virt)
{
    unsigned long frame = arm_mmu_paddr(virt) >> PAGE_SHIFT;

    unmap_frames(virt, 1);
    give_back(frame);
}
