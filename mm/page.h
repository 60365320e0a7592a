/* SPDX-License-Identifier: MIT
 *
 * The page allocator: a buddy system over the direct map.  Boot gives it the few pages that are
 * mapped already; beyond those it maps 2 MiB at a time when memory is first wanted, so a large
 * domain boots as fast as a small one.
 */
#pragma once
#include "arch/page.h"
#include "lib/types.h"

#define PAGE_MAX_ORDER 9 /* 2 MiB: the unit in which the direct map grows */

/* 2^order pages, aligned to their own size, content undefined; NULL when memory is out. Any
 * context but a panic's. */
void *pages_alloc(unsigned int order);
/* One page of zeroes; NULL when memory is out. */
void *page_alloc_zeroed(void);
/* `order` as allocated. NULL is allowed. Any context. */
void pages_free(void *pages, unsigned int order);

struct page_stats {
    unsigned long total; /* pages the domain has for us, mapped yet or not */
    unsigned long free;  /* of these, not handed out */
};
void page_get_stats(struct page_stats *stats);

/* Boot only: pages [start, end) of the direct map are mapped and free. Their first few become
 * tables if need be. */
void page_add_mapped(void *start, void *end);
/* Boot only: pages [start, end) of the direct map exist but are not mapped yet. What is added last
 * is used first. At most PAGE_UNMAPPED_MAX times. */
#define PAGE_UNMAPPED_MAX 16
void page_add_unmapped(void *start, void *end);
