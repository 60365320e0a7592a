/* SPDX-License-Identifier: MIT
 *
 * Telling Xen where this vCPU is entered: the exception table and the callbacks.
 */
#include "hypercall/pv.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "x86/pv/pv.h"
#include "x86/trap.h"

#define STUB_SIZE           16 /* x86/pv/entry.S */
#define TRAP_DPL_USER       3
#define TRAP_MASKS_EVENTS   (1 << 2)
#define FLAT_RING3_CS64_SEL 0xe033

extern const char pv_trap_stubs[];
void pv_event_callback(void);
void pv_failsafe_callback(void);
void pv_trap(struct trap_frame *frame);

/* From entry.S. Xen leaves the faulting address in vcpu_info. */
void pv_trap(struct trap_frame *frame)
{
    trap_handle(frame, this_percpu()->vcpu_info.arch.cr2);
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
            .address = (unsigned long)pv_trap_stubs + vector * STUB_SIZE,
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
