/* SPDX-License-Identifier: MIT
 *
 * Hypercalls only an x86 PV guest has, typed.  Each returns 0 or a negative Xen errno.
 * Follows Xen public/xen.h, public/callback.h and public/arch-x86/xen-x86_64.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/callback.h>
#include "hypercall/hypercall.h"

/* `table` ends with an entry whose address is 0. */
static inline int hypercall_set_trap_table(const struct trap_info *table)
{
    return (int)hypercall1(__HYPERVISOR_set_trap_table, table);
}

/* Where Xen enters the calling vCPU: `type` is CALLBACKTYPE_event, _failsafe or _syscall. */
static inline int hypercall_callback_register(uint16_t type, void (*entry)(void), uint16_t flags)
{
    struct callback_register op = { .type = type, .flags = flags, .address = (unsigned long)entry };

    return (int)hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register, &op);
}

/* Apply `count` updates to page tables of this domain, in order; stops at the first bad one. */
static inline int hypercall_mmu_update(struct mmu_update *updates, unsigned int count)
{
    return (int)hypercall4(__HYPERVISOR_mmu_update, updates, count, 0, DOMID_SELF);
}

/* Set the L1 entry of `virt` in the current address space. `flags`: UVMF_*. */
static inline int hypercall_update_va_mapping(const void *virt, uint64_t pte, unsigned long flags)
{
    return (int)hypercall3(__HYPERVISOR_update_va_mapping, virt, pte, flags);
}

static inline int hypercall_mmuext(struct mmuext_op *ops, unsigned int count)
{
    return (int)hypercall4(__HYPERVISOR_mmuext_op, ops, count, 0, DOMID_SELF);
}

/* `which`: SEGBASE_FS, SEGBASE_GS_KERNEL, ... */
static inline int hypercall_set_segment_base(unsigned int which, unsigned long base)
{
    return (int)hypercall2(__HYPERVISOR_set_segment_base, which, base);
}
