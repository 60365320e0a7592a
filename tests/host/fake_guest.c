/* SPDX-License-Identifier: MIT
 *
 * The host is a PV guest where it makes a difference.
 */
#include "arch/grant.h"
#include "x86/pv/pv.h"

int arch_grant_map_frame(void *virt, unsigned int index)
{
    return pv_grant_map_frame(virt, index);
}

int arch_grant_prepare(void *virt, domid_t domid)
{
    return pv_grant_prepare(virt, domid);
}

uint64_t arch_grant_host_addr(const void *virt)
{
    return pv_grant_host_addr(virt);
}

void arch_grant_release(void *virt)
{
    pv_grant_release(virt);
}
