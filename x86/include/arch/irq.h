/* SPDX-License-Identifier: MIT
 *
 * Masking upcalls on the running vCPU.  In a PV domain IF is virtual and cli/sti do nothing: the
 * mask is a byte in vcpu_info, which lies in percpu, so each access is one instruction through GS
 * and cannot hit another vCPU's mask.  Only lib/irq.h includes this.  Follows Xen public/xen.h,
 * struct vcpu_info.
 */
#pragma once
#include "arch/hypercall.h"

#define VCPU_INFO_AT(field) offsetof(struct percpu, vcpu_info) + offsetof(struct vcpu_info, field)

static inline void upcalls_disable(void)
{
    asm volatile("movb $1, %%gs:%c0" ::"i"(VCPU_INFO_AT(evtchn_upcall_mask)) : "memory");
}

/* Events that came while masked are delivered before this returns. */
static inline void upcalls_enable(void)
{
    bool pending;

    asm volatile("movb $0, %%gs:%c1\n\t"
                 "movb %%gs:%c2, %0"
                 : "=q"(pending)
                 : "i"(VCPU_INFO_AT(evtchn_upcall_mask)), "i"(VCPU_INFO_AT(evtchn_upcall_pending))
                 : "memory");
    if (pending)
        hypercall5(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0); /* any would do */
}

static inline bool upcalls_enabled(void)
{
    bool masked;

    asm volatile("movb %%gs:%c1, %0" : "=q"(masked) : "i"(VCPU_INFO_AT(evtchn_upcall_mask)));
    return !masked;
}

/* `cpu` is another vCPU, which is not running: it starts with upcalls masked. */
static inline void upcalls_begin_masked(struct percpu *cpu)
{
    cpu->vcpu_info.evtchn_upcall_mask = 1;
}
