/* SPDX-License-Identifier: MIT
 *
 * What the PV door (boot/pv.c) starts of x86/pv/, in this order; then what is in pv_guest.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include "arch/context.h"
#include "arch/page.h"
#include "lib/types.h"

struct percpu;

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
/* GS: this vCPU's percpu. */
void pv_set_gs(unsigned long base);

/* Members of pv_guest: x86/guest.h. */
int pv_mmu_map_direct(void *start, void *end, void *(*more)(void));
int pv_mmu_map(void *start, const mfn_t *frames, size_t count, bool writable);
int pv_mmu_unmap(void *start, size_t count);
int pv_mmu_guard(void *page, bool guard);
int pv_grant_map_frame(void *virt, unsigned int index);
int pv_grant_prepare(void *virt, domid_t domid);
uint64_t pv_grant_host_addr(const void *virt);
void pv_grant_release(void *virt);
int pv_cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void));
void pv_set_fs(unsigned long base);
