/* SPDX-License-Identifier: MIT
 *
 * The real page allocator over memory of the test's choice, for tests that must know each page's
 * fate: every page handed out is noted with its owner, and the allocator's own structures are
 * looked through. A test file that includes this gets mm/page.c itself, with mapping of the direct
 * map replaced.
 */
#pragma once
#include <stdlib.h>
#include <sys/mman.h>
#include "arch/mmu.h"
#include "mm/page.h"
#include "tests/host/test.h"

/* The allocator must not call memset() of the sanitizer's: see test_page.c, tags_across_8_gib. */
static void *plain_memset(void *at, int byte, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((volatile char *)at)[i] = (char)byte;
    return at;
}

static int fake_map_direct(void *start, void *end, void *(*more)(void));
static int (*mapper)(void *start, void *end, void *(*more)(void)); /* instead of it; NULL */
#define mmu_map_direct(start, end, more)                                                           \
    (mapper ? mapper(start, end, more) : fake_map_direct(start, end, more))
#define memset plain_memset
#include "mm/page.c"
#undef memset
#undef mmu_map_direct

#define ARENA_PAGES 15872UL

/* The direct map of the test: base 2 MiB aligned, [first, mapped) there at boot, [mapped, pages) to
 * be mapped on demand; all in pages from base. */
static struct arena {
    char *base;
    unsigned long first, mapped, pages;
    bool owned[ARENA_PAGES]; /* handed out, or a table's */
    unsigned long owned_pages, table_pages;
    unsigned long map_calls;
    unsigned int more;     /* tables that each mapping wants besides the last-level one */
    long fail_map;         /* the mapping with this number fails; -1: none */
    uint64_t random_state; /* of arena_random() */
} arena;

static inline uint64_t arena_random(uint64_t below)
{
    arena.random_state = arena.random_state * 6364136223846793005 + 1442695040888963407;
    return (arena.random_state >> 33) % below;
}

static char *arena_page(unsigned long n)
{
    return arena.base + n * PAGE_SIZE;
}

static bool arena_claim(const char *pages, unsigned int order)
{
    unsigned long at = (unsigned long)(pages - arena.base) / PAGE_SIZE;
    unsigned long count = 1UL << order;
    bool ok = (unsigned long)pages % (PAGE_SIZE << order) == 0 && at >= arena.first &&
              at + count <= arena.mapped;

    CHECK_EQ((unsigned long)pages % (PAGE_SIZE << order), 0);
    CHECK_GE(at, arena.first);
    CHECK_LE(at + count, arena.mapped);
    for (unsigned long i = 0; ok && i < count; i++) {
        CHECK(!arena.owned[at + i]);
        arena.owned[at + i] = true;
    }
    arena.owned_pages += count;
    return ok;
}

/* Map the next part of the direct map as x86 does it, which takes pages for tables for ever. */
static int fake_map_direct(void *start, void *end, void *(*more)(void))
{
    unsigned long new_end = (unsigned long)((char *)end - arena.base) / PAGE_SIZE;

    CHECK_EQ(start, arena_page(arena.mapped));
    CHECK_EQ((unsigned long)start % CHUNK, 0);
    CHECK(end > start && (char *)end - (char *)start <= (long)CHUNK);
    CHECK_LE(new_end, arena.pages);
    if ((long)arena.map_calls++ == arena.fail_map)
        return -XEN_ENOMEM;
    for (unsigned int i = 0; i < 1 + arena.more; i++) {
        void *page = more();

        if (!page)
            return -XEN_ENOMEM;
        arena_claim(page, 0);
    }
    arena.table_pages += 1 + arena.more;
    arena.owned_pages -= 1 + arena.more;
    if (mprotect(start, (size_t)((char *)end - (char *)start), PROT_READ | PROT_WRITE))
        abort();
    arena.mapped = new_end;
    return 0;
}

/* Boot with pages [first, mapped) and [mapped, pages) of `base`; the allocator forgets what was
 * before. */
static void arena_boot(char *base, unsigned long first, unsigned long mapped, unsigned long pages)
{
    CHECK(base != NULL && pages <= ARENA_PAGES);
    memset(&arena, 0, sizeof(arena));
    memset(directory, 0, sizeof(directory));
    total = mapped_free = 0;
    nr_unmapped = 0;
    arena.base = base;
    arena.first = first;
    arena.mapped = mapped;
    arena.pages = pages;
    arena.fail_map = -1;
    if (mprotect(base, ARENA_PAGES * PAGE_SIZE, PROT_NONE) ||
        mprotect(arena_page(first), (mapped - first) * PAGE_SIZE, PROT_READ | PROT_WRITE))
        abort();
    page_add_mapped(arena_page(first), arena_page(mapped));
    page_add_unmapped(arena_page(mapped), arena_page(pages));
}

/* Pages that hold tags: one for every 16 MiB that something mapped lies in, one for every 8 GiB. */
static unsigned long arena_tag_pages(void)
{
    unsigned long first = (unsigned long)arena_page(arena.first);
    unsigned long last = (unsigned long)arena_page(arena.mapped) - 1;

    return (last >> 24) - (first >> 24) + 1 + (last >> 33) - (first >> 33) + 1;
}

static void *arena_alloc(unsigned int order)
{
    char *pages = pages_alloc(order);

    if (pages && arena_claim(pages, order)) {
        *(void **)pages = pages;
        *(void **)(pages + (PAGE_SIZE << order) - sizeof(void *)) = pages;
    }
    return pages;
}

static void arena_free(char *pages, unsigned int order)
{
    unsigned long at = (unsigned long)(pages - arena.base) / PAGE_SIZE;

    CHECK_EQ(*(void **)pages, pages); /* nobody else wrote there */
    CHECK_EQ(*(void **)(pages + (PAGE_SIZE << order) - sizeof(void *)), pages);
    for (unsigned long i = 0; i < 1UL << order; i++) {
        CHECK(arena.owned[at + i]);
        arena.owned[at + i] = false;
    }
    arena.owned_pages -= 1UL << order;
    pages_free(pages, order);
}

/* What the allocator says of itself is what happened, and its free blocks are sound and merged. */
static void arena_check(void)
{
    struct page_stats stats;
    unsigned long seen = 0;

    page_get_stats(&stats);
    CHECK_EQ(stats.total, arena.pages - arena.first);
    CHECK_EQ(stats.free, stats.total - arena.owned_pages - arena.table_pages - arena_tag_pages());
    for (unsigned int order = 0; order <= PAGE_MAX_ORDER; order++) {
        struct list *it;

        list_for_each (it, &free_blocks[order]) {
            unsigned long n = (unsigned long)((char *)it - arena.base) / PAGE_SIZE;
            uint8_t *buddy = tag_of((char *)((unsigned long)it ^ PAGE_SIZE << order));

            CHECK_EQ((unsigned long)it % (PAGE_SIZE << order), 0);
            CHECK_EQ(*tag_of(it), 1 + order);
            CHECK(order == PAGE_MAX_ORDER || !buddy || *buddy != 1 + order);
            for (unsigned long i = 0; i < 1UL << order; i++)
                CHECK(n + i >= arena.first && n + i < arena.mapped && !arena.owned[n + i]);
            seen += 1UL << order;
        }
    }
    CHECK_EQ(seen, mapped_free);
}
