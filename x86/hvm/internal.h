/* SPDX-License-Identifier: MIT
 *
 * What the files of x86/hvm/ share.
 */
#pragma once
#include "x86/trap.h"

#define HVM_CALLBACK_VECTOR TRAP_VECTORS /* Xen's upcall, behind the exceptions */

/* And one for the devices of a PC, if somebody wants them: x86/hvm/interrupt.c. */
#define HVM_DEVICE_VECTOR (HVM_CALLBACK_VECTOR + 1)
#define HVM_VECTORS       (HVM_DEVICE_VECTOR + 1)

/* What `vector` comes to on every vCPU; `ist`: 1 for the stack of double faults, else 0. */
void hvm_set_gate(unsigned int vector, unsigned long entry, unsigned int ist);
/* From now on there may be other vCPUs, whose TLBs have to be thought of. */
void hvm_mmu_several_vcpus(void);
