/* SPDX-License-Identifier: MIT
 *
 * What mm/ asks of the CPU's page tables.  In a PV domain each change is a hypercall
 * (x86/pv/mmu.c), with hardware assistance a store (x86/hvm/mmu.c).
 * All of these: thread context or boot; 0, or a negative Xen errno, or -XEN_ENOMEM when a page
 * table page could not be had.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "arch/page.h"

/* Virtual addresses the regions use. */
#define VSPACE_START 0x400000000000UL /* 64 TiB */
#define VSPACE_END   (VSPACE_START + (64UL << 30))
#define HEAP_START   0x500000000000UL /* 80 TiB */
#define HEAP_END     0x600000000000UL

/* Map [start, end) of the direct map, which lies within 2 MiB (aligned) and is not mapped yet,
 * read-write and no-execute. Pages for tables come from `more()`, NULL: out of memory; the caller
 * may hold the page allocator's lock. */
int mmu_map_direct(void *start, void *end, void *(*more)(void));
/* Map frames anywhere outside the direct map. */
int mmu_map(void *start, const mfn_t *frames, size_t count, bool writable);
int mmu_unmap(void *start, size_t count);
/* Change one page of the direct map: inaccessible, or read-write again. */
int mmu_guard(void *page, bool guard);
