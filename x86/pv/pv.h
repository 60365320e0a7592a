/* SPDX-License-Identifier: MIT
 *
 * What the PV door (boot/pv.c) starts of x86/pv/, in this order.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include "lib/types.h"

/* Exceptions and event callback of the running vCPU. */
void pv_traps_init(void);
/* The same for a vCPU that is about to be started. */
void pv_traps_describe(struct vcpu_guest_context *vcpu);

/* Page tables. `p2m`: machine frame of each pfn; `root`: the top table, mapped read-only like all
 * tables Xen's builder made; `nr_pages`: entries in p2m. Also protects the image: text read-only,
 * everything else no-execute. Returns the end of what the builder has mapped. */
void *pv_mmu_init(const unsigned long *p2m, unsigned long nr_pages, uint64_t *root);
/* Put a frame of Xen's in the place of a page of our image, whose own frame is out of reach then. 0
 * or -errno. Boot. */
int pv_mmu_replace(void *page, uint64_t machine_address);
/* The top table's machine frame. */
unsigned long pv_mmu_root(void);
