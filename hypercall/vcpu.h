/* SPDX-License-Identifier: MIT
 *
 * vCPU hypercalls, typed.  Each returns 0 or a negative Xen errno.  Follows Xen public/vcpu.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/vcpu.h>
#include "hypercall/hypercall.h"

#define hypercall_vcpu(cmd, vcpu, arg) ((int)hypercall3(__HYPERVISOR_vcpu_op, cmd, vcpu, arg))

/* Put `vcpu`'s vcpu_info at `offset` in page `mfn`; once in a vCPU's life, by itself or while it is
 * down. A spurious upcall follows, on purpose. */
static inline int hypercall_vcpu_register_info(unsigned int vcpu, uint64_t mfn, uint32_t offset)
{
    struct vcpu_register_vcpu_info op = { .mfn = mfn, .offset = offset };

    return hypercall_vcpu(VCPUOP_register_vcpu_info, vcpu, &op);
}

/* Every vCPU starts with a 10 ms periodic timer running. */
static inline int hypercall_vcpu_stop_periodic_timer(unsigned int vcpu)
{
    return hypercall_vcpu(VCPUOP_stop_periodic_timer, vcpu, 0);
}

/* VIRQ_TIMER on `vcpu` (which must be the caller) at the absolute system time `deadline_ns`; at
 * once when that is past. */
static inline int hypercall_vcpu_set_singleshot_timer(unsigned int vcpu, uint64_t deadline_ns)
{
    struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = deadline_ns };

    return hypercall_vcpu(VCPUOP_set_singleshot_timer, vcpu, &op);
}

static inline int hypercall_vcpu_stop_singleshot_timer(unsigned int vcpu)
{
    return hypercall_vcpu(VCPUOP_stop_singleshot_timer, vcpu, 0);
}

static inline int hypercall_vcpu_get_runstate_info(unsigned int vcpu,
                                                   struct vcpu_runstate_info *info)
{
    return hypercall_vcpu(VCPUOP_get_runstate_info, vcpu, info);
}

/* Registers and all of a vCPU that was never started, or was reset: struct vcpu_guest_context, with
 * hardware assistance struct vcpu_hvm_context. -XEN_EEXIST: it has them. */
static inline int hypercall_vcpu_initialise(unsigned int vcpu, const void *context)
{
    return hypercall_vcpu(VCPUOP_initialise, vcpu, context);
}

/* Let an initialised vCPU run; it goes on behind its hypercall_vcpu_down() if it made one. */
static inline int hypercall_vcpu_up(unsigned int vcpu)
{
    return hypercall_vcpu(VCPUOP_up, vcpu, 0);
}

/* Stop a vCPU, perhaps the calling one. With the last one the domain powers off. */
static inline int hypercall_vcpu_down(unsigned int vcpu)
{
    return hypercall_vcpu(VCPUOP_down, vcpu, 0);
}

/* Have Xen keep the runstate of the calling vCPU in *area, which stays mapped for ever. */
static inline int hypercall_vcpu_register_runstate(unsigned int vcpu,
                                                   struct vcpu_runstate_info *area)
{
    struct vcpu_register_runstate_memory_area op = { .addr.p = HC_ARG(area) };

    return hypercall_vcpu(VCPUOP_register_runstate_memory_area, vcpu, &op);
}
