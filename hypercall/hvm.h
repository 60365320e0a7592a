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

/* Several at once, for the price of one: entering Xen is what costs. Of each `index` is given;
 * `calls` is all zeroes. */
static inline int hypercall_hvm_get_params(struct xen_hvm_param *params,
                                           struct multicall_entry *calls, unsigned int count)
{
    int rc;

    for (unsigned int i = 0; i < count; i++) {
        params[i].domid = DOMID_SELF;
        calls[i].op = __HYPERVISOR_hvm_op;
        calls[i].args[0] = HVMOP_get_param;
        calls[i].args[1] = HC_ARG(&params[i]);
    }
    rc = (int)hypercall2(__HYPERVISOR_multicall, calls, count);
    while (count-- && rc == 0)
        rc = (int)calls[count].result;
    return rc;
}

/* `index`: HVM_PARAM_*. */
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
