/* SPDX-License-Identifier: MIT
 *
 * What boot/arm.c needs of the translation tables besides arch/mmu.h.
 */
#pragma once
#include "lib/types.h"

/* Look at physical memory: `len` bytes, read-only, until the next call. NULL: more than 2 MiB, or
 * not possible. Boot. */
const void *arm_mmu_look(uint64_t paddr, size_t len);
/* Map one page of somebody else's at `virt`, one of boot_windows, or from vspace_alloc(); a
 * device's registers or memory. 0 or -XEN_ENOMEM. */
int arm_mmu_map_page(void *virt, uint64_t paddr, bool device);
/* Where a page that is mapped at `virt`, outside the direct map, is physically. */
uint64_t arm_mmu_paddr(const void *virt);
/* Tables for the first memory that is mapped; NULL when they are used up. Boot. */
void *arm_mmu_boot_table(void);
