/* SPDX-License-Identifier: MIT
 *
 * Memory hypercalls every guest type has, typed.  Follows Xen public/memory.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/memory.h>
#include "hypercall/hypercall.h"

/* Pages this domain owns now, or a negative Xen errno. */
static inline long hypercall_memory_current_reservation(void)
{
    domid_t self = DOMID_SELF;

    return hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, &self);
}

/* Pages this domain may own at most, or a negative Xen errno. */
static inline long hypercall_memory_maximum_reservation(void)
{
    domid_t self = DOMID_SELF;

    return hypercall2(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, &self);
}

/* With hardware assistance: let a frame of Xen's (`space`: XENMAPSPACE_*) appear at our frame
 * `gpfn`. RAM that was there is given back to Xen for good. 0 or a negative Xen errno. */
static inline int hypercall_memory_add_to_physmap(unsigned int space, unsigned long index,
                                                  unsigned long gpfn)
{
    struct xen_add_to_physmap op = {
        .domid = DOMID_SELF, .space = space, .idx = index, .gpfn = gpfn
    };

    return (int)hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &op);
}
