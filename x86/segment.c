/* SPDX-License-Identifier: MIT
 *
 * The bases of FS: how it is set on this CPU.
 */
#include "x86/segment.h"
#include "x86/cpuid.h"
#include "x86/guest.h"

#define CR4_FSGSBASE (1UL << 16)

bool segment_have_wrfsbase;

void segment_set_fs_slow(unsigned long base)
{
    guest->set_fs(base);
}

/* Per vCPU: CR4 is each vCPU's own. In a PV domain Xen emulates the access to it. */
void segment_init(void)
{
    unsigned long cr4;

    if (!cpuid_has_fsgsbase())
        return;
    asm volatile("mov %%cr4, %0" : "=r"(cr4));
    asm volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_FSGSBASE) : "memory");
    segment_have_wrfsbase = true;
}
