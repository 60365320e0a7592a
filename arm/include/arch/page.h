/* SPDX-License-Identifier: MIT
 *
 * Pages and frame numbers on ARM.  A page of RAM has one permanent virtual address: its place in
 * the direct map or, if it is the image's, where that is linked.  Xen and other domains call it by
 * its guest-physical frame, so an mfn_t is the pfn_t's number (Xen: gfn).
 */
#pragma once
#include <stdint.h>
#include "arch/layout.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~((1L << PAGE_SHIFT) - 1)) /* signed: so that it masks longer numbers too */

/* Types, so that mixing the two up does not compile. */
typedef struct pfn {
    unsigned long n;
} pfn_t;
typedef struct mfn {
    unsigned long n;
} mfn_t;

/* Virtual address - physical address. Set once by boot/, before any other use of this header: where
 * RAM begins is known only then. The image lies below the direct map. */
extern unsigned long direct_map_offset, image_offset;

static inline void *pfn_to_virt(pfn_t pfn)
{
    return (void *)((pfn.n << PAGE_SHIFT) + direct_map_offset);
}

/* `ptr`: anywhere in a page of the direct map or the image. */
static inline pfn_t virt_to_pfn(const void *ptr)
{
    unsigned long virt = (unsigned long)ptr;

    return (pfn_t){ (virt - (virt < DIRECT_MAP ? image_offset : direct_map_offset)) >> PAGE_SHIFT };
}

/* The frame number Xen and other domains know a page of the direct map by. Any context. */
static inline mfn_t virt_to_mfn(const void *ptr)
{
    return (mfn_t){ virt_to_pfn(ptr).n };
}
