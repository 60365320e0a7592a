/* SPDX-License-Identifier: MIT
 *
 * What Xen says about itself.  Follows Xen public/version.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/version.h>
#include "hypercall/hypercall.h"

/* major << 16 | minor. Also the cheapest hypercall: any hypercall delivers a pending upcall. */
static inline long hypercall_xen_version(void)
{
    return hypercall2(__HYPERVISOR_xen_version, XENVER_version, 0);
}

/* e.g. ".7" of 4.17.7. */
static inline int hypercall_xen_extraversion(xen_extraversion_t out)
{
    return (int)hypercall2(__HYPERVISOR_xen_version, XENVER_extraversion, out);
}

/* XENFEAT_* bits 0..31. */
static inline int hypercall_xen_features(uint32_t *bits)
{
    struct xen_feature_info info = { .submap_idx = 0 };
    int rc = (int)hypercall2(__HYPERVISOR_xen_version, XENVER_get_features, &info);

    if (rc == 0)
        *bits = info.submap;
    return rc;
}
