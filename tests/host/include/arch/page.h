/* SPDX-License-Identifier: MIT
 *
 * Pages and frame numbers of the host: a direct map at a fixed address over a memory file, so that
 * a frame can be mapped a second time, as page tables do.  Frame numbers are scrambled: code that
 * takes a pfn_t for an mfn_t meets the wrong page.
 */
#pragma once
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

typedef struct pfn {
    unsigned long n;
} pfn_t;
typedef struct mfn {
    unsigned long n;
} mfn_t;

extern unsigned long direct_map_offset;

static inline void *pfn_to_virt(pfn_t pfn)
{
    return (void *)((pfn.n << PAGE_SHIFT) + direct_map_offset);
}

static inline pfn_t virt_to_pfn(const void *ptr)
{
    return (pfn_t){ ((unsigned long)ptr - direct_map_offset) >> PAGE_SHIFT };
}

/* Ends the test when `ptr` is not in the direct map. */
mfn_t virt_to_mfn(const void *ptr);
