/* SPDX-License-Identifier: MIT
 *
 * What mm/ asks of page tables, on the host: mmap() of the memory file.  tests/host/fake_mm.c.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "arch/page.h"

#define VSPACE_START 0x400000000000UL
#define VSPACE_END   (VSPACE_START + (4UL << 30))
#define HEAP_START   0x440000000000UL
#define HEAP_END     (HEAP_START + (4UL << 30))

int mmu_map_direct(void *start, void *end, void *(*more)(void));
int mmu_map(void *start, const mfn_t *frames, size_t count, bool writable);
int mmu_unmap(void *start, size_t count);
int mmu_guard(void *page, bool guard);
