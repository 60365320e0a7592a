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
