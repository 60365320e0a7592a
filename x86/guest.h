/* SPDX-License-Identifier: MIT
 *
 * What a paravirtualised domain and one with hardware assistance (HVM, PVH) do differently once
 * they run: a table for each, in x86/pv/ and x86/hvm/, chosen by the door.  The contracts are those
 * of the arch/ header in front of each entry.  Only x86/ and boot/ look in here.
 *
 * What every hypercall and every masking of upcalls would have to ask is not in the table, but the
 * same for both: arch/hypercall.h, arch/irq.h, x86/hvm/entry.S.
 */
#pragma once
#include "arch/context.h"
#include "arch/page.h"
#include "lib/types.h"
#include <xen/xen.h>

struct percpu;

struct guest_ops {
    /* arch/mmu.h */
    int (*map_direct)(void *start, void *end, void *(*more)(void));
    int (*map)(void *start, const mfn_t *frames, size_t count, bool writable);
    int (*unmap)(void *start, size_t count);
    int (*guard)(void *page, bool guard);
    /* arch/grant.h */
    int (*grant_map_frame)(void *virt, unsigned int index);
    int (*grant_prepare)(void *virt, domid_t domid);
    uint64_t (*grant_host_addr)(const void *virt);
    void (*grant_release)(void *virt);
    /* arch/smp.h */
    int (*cpu_start)(struct percpu *cpu, const struct context *context, void (*entry)(void));
    void (*cpu_start_self)(void);

    void (*set_fs)(unsigned long base); /* where there is no WRFSBASE */
    uint64_t (*fault_address)(void);    /* of the page fault that is being handled */
    const char *upcall, *upcall_end;    /* the code that calls events_upcall() */
};

extern const struct guest_ops pv_guest, hvm_guest;
extern const struct guest_ops *guest; /* PV unless the door says otherwise, first of all */
