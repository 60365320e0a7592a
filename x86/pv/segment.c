/* SPDX-License-Identifier: MIT
 *
 * Segment bases in a PV domain: hypercalls, until CR4.FSGSBASE is ours.  Follows Xen
 * public/arch-x86/xen-x86_64.h (SEGBASE_*).
 */
#include "hypercall/pv.h"
#include "x86/pv/pv.h"

void pv_set_fs(unsigned long base)
{
    hypercall_set_segment_base(SEGBASE_FS, base);
}

void pv_set_gs(unsigned long base)
{
    hypercall_set_segment_base(SEGBASE_GS_KERNEL, base);
}
