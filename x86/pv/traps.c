/* SPDX-License-Identifier: MIT
 *
 * Telling Xen where this vCPU is entered: the exception table and the callbacks.
 */
#include "hypercall/pv.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "x86/guest.h"
#include "x86/pv/pv.h"
#include "x86/segment.h"
#include "x86/trap.h"

#define TRAP_DPL_USER       3
#define TRAP_MASKS_EVENTS   (1 << 2)
#define FLAT_RING3_CS64_SEL 0xe033

void pv_event_callback(void);
void pv_failsafe_callback(void);

/* Xen leaves it in vcpu_info. */
static uint64_t fault_address(void)
{
    return this_percpu()->vcpu_info.arch.cr2;
}

/* All vectors' entries; how many. */
static unsigned int describe(struct trap_info *table)
{
    unsigned int n = 0;

    for (unsigned int vector = 0; vector < TRAP_VECTORS; vector++) {
        if (vector == 2 || vector == 15)
            continue; /* NMI is a callback of its own; 15 is reserved */
        table[n++] = (struct trap_info){
            .vector = vector,
            .flags = TRAP_MASKS_EVENTS | (vector == 3 || vector == 4 ? TRAP_DPL_USER : 0),
            .cs = FLAT_RING3_CS64_SEL,
            .address = (unsigned long)trap_stubs + vector * TRAP_STUB_SIZE,
        };
    }
    return n;
}

void pv_traps_init(void)
{
    struct trap_info table[TRAP_VECTORS + 1];

    table[describe(table)] = (struct trap_info){ 0 };
    if (hypercall_set_trap_table(table) ||
        hypercall_callback_register(CALLBACKTYPE_event, pv_event_callback, 0) ||
        hypercall_callback_register(CALLBACKTYPE_failsafe, pv_failsafe_callback,
                                    CALLBACKF_mask_events))
        panic("Xen refused the trap table or the event callback");
}

/* Here the table is indexed by vector. */
void pv_traps_describe(struct vcpu_guest_context *vcpu)
{
    struct trap_info table[TRAP_VECTORS];
    unsigned int count = describe(table);

    for (unsigned int i = 0; i < count; i++)
        vcpu->trap_ctxt[table[i].vector] = table[i];
    vcpu->event_callback_eip = (unsigned long)pv_event_callback;
    vcpu->failsafe_callback_eip = (unsigned long)pv_failsafe_callback;
    vcpu->flags |= VGCF_failsafe_disables_events;
}

extern const char pv_event_callback_end[];

const struct guest_ops pv_guest = {
    .map_direct = pv_mmu_map_direct,
    .map = pv_mmu_map,
    .unmap = pv_mmu_unmap,
    .guard = pv_mmu_guard,
    .grant_map_frame = pv_grant_map_frame,
    .grant_prepare = pv_grant_prepare,
    .grant_host_addr = pv_grant_host_addr,
    .grant_release = pv_grant_release,
    .cpu_start = pv_cpu_start,
    .cpu_start_self = segment_init,
    .set_fs = pv_set_fs,
    .fault_address = fault_address,
    .upcall = (const char *)pv_event_callback,
    .upcall_end = pv_event_callback_end,
};
