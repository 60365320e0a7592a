/* SPDX-License-Identifier: MIT
 *
 * Pages and frame numbers on x86-64.  A page of RAM has one permanent virtual address, its place in
 * the direct map: virt = (pfn << PAGE_SHIFT) + direct_map_offset.  What Xen and other domains
 * call that page is its mfn_t: the machine frame in a PV domain, the pfn itself under hardware
 * assistance (Xen calls either one a gfn where the guest type does not matter).
 */
#pragma once
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

/* Types, so that mixing the two up does not compile. */
typedef struct pfn {
    unsigned long n;
} pfn_t;
typedef struct mfn {
    unsigned long n;
} mfn_t;

/* Set once by boot/, before any other use of this header. A PV domain's direct map begins with the
 * image; else the image lies apart from and below it, at its link address (boot/image.lds). */
extern unsigned long direct_map_offset;
extern char __image_offset[]; /* virtual address - physical address, an absolute symbol */

static inline void *pfn_to_virt(pfn_t pfn)
{
    return (void *)((pfn.n << PAGE_SHIFT) + direct_map_offset);
}

/* `ptr`: anywhere in a page of the direct map (kernel image, page allocator, kernel heap). */
static inline pfn_t virt_to_pfn(const void *ptr)
{
    unsigned long virt = (unsigned long)ptr;
    unsigned long offset =
        virt < direct_map_offset ? (unsigned long)__image_offset : direct_map_offset;

    return (pfn_t){ (virt - offset) >> PAGE_SHIFT };
}

/* The frame number Xen and other domains know a page of the direct map by. Any context. */
mfn_t virt_to_mfn(const void *ptr);
