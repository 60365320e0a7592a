/* SPDX-License-Identifier: MIT
 *
 * Hypercalls of guests with hardware assistance, typed.  Each returns 0 or a negative Xen errno.
 * Follows Xen public/hvm/hvm_op.h and public/hvm/params.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include "hypercall/hypercall.h"

/* `index`: HVM_PARAM_*. Several are not quicker as a multicall: each thing that Xen reads or writes
 * by address costs it a walk through the page tables, more than entering Xen. */
static inline int hypercall_hvm_get_param(uint32_t index, uint64_t *value)
{
    struct xen_hvm_param op = { .domid = DOMID_SELF, .index = index };
    int rc = (int)hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, &op);

    *value = op.value;
    return rc;
}

static inline int hypercall_hvm_set_param(uint32_t index, uint64_t value)
{
    struct xen_hvm_param op = { .domid = DOMID_SELF, .index = index, .value = value };

    return (int)hypercall2(__HYPERVISOR_hvm_op, HVMOP_set_param, &op);
}

/* Of all vCPUs. */
static inline int hypercall_hvm_flush_tlbs(void)
{
    return (int)hypercall2(__HYPERVISOR_hvm_op, HVMOP_flush_tlbs, 0);
}
