/* SPDX-License-Identifier: MIT
 *
 * Finding Xen, and letting it find us.  Follows Xen public/arch-x86/cpuid.h, public/hvm/params.h
 * and arch/x86/hvm/irq.c.
 */
#include "hypercall/hvm.h"
#include "lib/panic.h"
#include "x86/cpuid.h"
#include "x86/hvm/hvm.h"
#include "x86/hvm/internal.h"
#include <xen/arch-x86/cpuid.h>

#define CPUID_FIRST  0x40000000
#define CPUID_LAST   0x40010000
#define CPUID_STRIDE 0x100

static uint32_t xen_leaf; /* Xen's first */

/* Behind other hypervisors' leaves, which Xen may show too (viridian). */
bool hvm_find_xen(void)
{
    for (uint32_t leaf = CPUID_FIRST; leaf < CPUID_LAST; leaf += CPUID_STRIDE) {
        struct cpuid signature = cpuid(leaf, 0);

        if (signature.ebx == 0x566e6558 && signature.ecx == 0x65584d4d &&
            signature.edx == 0x4d4d566e) { /* XenVMMXenVMM */
            xen_leaf = leaf;
            return true;
        }
    }
    return false;
}

domid_t hvm_domid(void)
{
    struct cpuid hvm = cpuid(xen_leaf + 4, 0);

    return hvm.eax & XEN_HVM_CPUID_DOMID_PRESENT ? (domid_t)hvm.ecx : DOMID_SELF;
}

int hvm_connect(void)
{
    uint64_t callback = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | HVM_CALLBACK_VECTOR;

    return hypercall_hvm_set_param(HVM_PARAM_CALLBACK_IRQ, callback);
}
