/* SPDX-License-Identifier: MIT
 *
 * What boot/hvm.c starts of x86/hvm/, in this order; then what is in hvm_guest.
 *
 * Addresses: the image at its link address, below 1 GiB, each part with its own rights; all other
 * memory from HVM_DIRECT_MAP on, 2 MiB at a time, which holds no second mapping of the image.
 */
#pragma once
#include <stdint.h>
#include "arch/context.h"
#include "arch/page.h"
#include "lib/types.h"
#include <xen/xen.h>

#define HVM_DIRECT_MAP 0x8000000000UL /* 512 GiB */

struct percpu;

/* FS and GS, before anything else. */
void hvm_set_fs(unsigned long base);
void hvm_set_gs(unsigned long base);
/* Exceptions, the callback, the instruction that enters Xen, on the running vCPU. `page`:
 * 2^HVM_CPU_ORDER of them, kept for ever: segments and the stack for double faults. */
#define HVM_CPU_ORDER 1
void hvm_cpu_init(void *page);

/* Page tables: takes over those of hvm_entry.S, protects the image. `nx`: pages can be no-execute.
 */
void hvm_mmu_init(bool nx);
/* Look at physical memory, wherever it is below 4 GiB: read-only, until the next call. NULL: not
 * possible. At most 2 MiB. Boot. */
const void *hvm_window(uint64_t paddr, size_t len);
/* Map a frame of Xen's at `virt`, one of hvm_windows. */
void hvm_mmu_map_window(void *virt, uint64_t pfn);
/* Tables for the first memory that is mapped; NULL when they are used up. Boot. */
void *hvm_mmu_boot_table(void);
/* The first frame behind all memory: what Xen and others lend us comes there. */
extern unsigned long hvm_frames_of_others;

/* Is there a Xen below us? From here on hypercalls work. */
bool hvm_find_xen(void);
/* Have Xen call us back. 0 or -errno. */
int hvm_connect(void);
/* Ourselves, or DOMID_SELF if Xen does not tell. */
domid_t hvm_domid(void);

/* HVM, before anybody looks for network cards: have the device model take those away that it
 * emulates. 0; -XEN_ENODEV: it does not listen (xen_platform_pci=0); -XEN_EPERM: it does not want
 * us to use others. */
int hvm_unplug_nics(void);

/* Members of hvm_guest: x86/guest.h. */
int hvm_mmu_map_direct(void *start, void *end, void *(*more)(void));
int hvm_mmu_map(void *start, const mfn_t *frames, size_t count, bool writable);
int hvm_mmu_unmap(void *start, size_t count);
int hvm_mmu_guard(void *page, bool guard);
int hvm_grant_map_frame(void *virt, unsigned int index);
int hvm_grant_prepare(void *virt, domid_t domid);
uint64_t hvm_grant_host_addr(const void *virt);
void hvm_grant_release(void *virt);
int hvm_cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void));
