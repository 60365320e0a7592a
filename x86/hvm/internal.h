/* SPDX-License-Identifier: MIT
 *
 * What the files of x86/hvm/ share.
 */
#pragma once
#include "x86/trap.h"

#define HVM_CALLBACK_VECTOR                                                                        \
    TRAP_VECTORS /* the one interrupt there is: Xen's, behind the exceptions */

/* From now on there may be other vCPUs, whose TLBs have to be thought of. */
void hvm_mmu_several_vcpus(void);
