/* SPDX-License-Identifier: MIT
 *
 * The memory of a domain with hardware assistance, as its door heard of it: ranges of physical
 * addresses that may be used.  What is told comes from outside; nothing about it is believed.
 */
#pragma once
#include "lib/types.h"

#define MEMORY_RANGES 16

struct memory_range {
    uint64_t start, end; /* multiples of the page size */
};

struct memory {
    struct memory_range ranges[MEMORY_RANGES]; /* apart from each other, in no order */
    unsigned int nr;
};

/* [start, start + size) is RAM: the whole pages of it, below `limit`. When there are more ranges
 * than are kept, the smallest is left out. */
void memory_add(struct memory *memory, uint64_t start, uint64_t size, uint64_t limit);
/* [start, start + size) is something else, or in use. How many pages of it were there. */
uint64_t memory_remove(struct memory *memory, uint64_t start, uint64_t size);
/* Takes away what the page allocator is to begin with: 2 MiB by one entry of a page table if there
 * are any, else what there is; all of it, or the empty range at 0. */
struct memory_range memory_take_first(struct memory *memory);
