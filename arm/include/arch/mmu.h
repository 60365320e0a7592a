/* SPDX-License-Identifier: MIT
 *
 * What mm/ asks of the CPU's translation tables.
 * All of these: thread context or boot; 0, or a negative Xen errno, or -XEN_ENOMEM when a page for
 * a table could not be had.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "arch/layout.h"
#include "arch/page.h"

/* Map [start, end) of the direct map, which lies within 2 MiB (aligned) and is not mapped yet,
 * read-write and no-execute. Pages for tables come from `more()`, NULL: out of memory; the caller
 * may hold the page allocator's lock. */
int mmu_map_direct(void *start, void *end, void *(*more)(void));
/* Map frames anywhere outside the direct map. */
int mmu_map(void *start, const mfn_t *frames, size_t count, bool writable);
int mmu_unmap(void *start, size_t count);
/* Change one page of the direct map: inaccessible, or read-write again. */
int mmu_guard(void *page, bool guard);
