/* SPDX-License-Identifier: MIT
 *
 * Segment bases in a PV domain: hypercalls, until CR4.FSGSBASE is ours.  Follows Xen
 * public/arch-x86/xen-x86_64.h (SEGBASE_*).
 */
#include "hypercall/pv.h"
#include "x86/cpuid.h"
#include "x86/segment.h"

#define CR4_FSGSBASE (1UL << 16)

bool segment_have_wrfsbase;

void segment_set_fs_slow(unsigned long base)
{
    hypercall_set_segment_base(SEGBASE_FS, base);
}

void segment_set_gs(unsigned long base)
{
    hypercall_set_segment_base(SEGBASE_GS_KERNEL, base);
}

/* Per vCPU: CR4 is each vCPU's own. Xen emulates the access to CR4. */
void segment_init(void)
{
    unsigned long cr4;

    if (!cpuid_has_fsgsbase())
        return;
    asm volatile("mov %%cr4, %0" : "=r"(cr4));
    asm volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_FSGSBASE) : "memory");
    segment_have_wrfsbase = true;
}
