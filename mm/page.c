/* SPDX-License-Identifier: MIT
 *
 * The buddy system.  Blocks of 2^order pages; a freed block joins its buddy when that is free and
 * of the same order.  The links of a free block lie in the block; which block is free, and how
 * large, is a byte per page in tables that exist only for memory that is mapped.
 */
#include <string.h>
#include "arch/mmu.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/spinlock.h"
#include "mm/page.h"

#define CHUNK        (PAGE_SIZE << PAGE_MAX_ORDER)
#define GROW_RESERVE 8 /* pages kept while there is more to map: growing takes at most 6 */

/* Tags: one byte per page, 0 or 1 + the order of the free block that begins there. A page of them
 * covers 16 MiB, a page of pointers to them 8 GiB, the directory 2 TiB. */
#define TAGS_PER_PAGE   PAGE_SIZE
#define PAGES_PER_TABLE (PAGE_SIZE / sizeof(uint8_t *))
#define DIRECTORY       256

static spinlock_t lock = SPINLOCK_INIT_RANK(LOCK_PAGES);
static struct list free_blocks[PAGE_MAX_ORDER + 1]; /* held: lock, like everything below */
static uint8_t **directory[DIRECTORY];
static struct {
    char *start, *end;
} unmapped[PAGE_UNMAPPED_MAX];    /* of the direct map: exists, is not mapped yet */
static unsigned int nr_unmapped;  /* the last one is mapped first */
static unsigned long mapped_free; /* pages in free_blocks */
static unsigned long total;       /* pages we were given */

static uint8_t *tag_of(const void *page)
{
    unsigned long n = (unsigned long)page >> PAGE_SHIFT;
    unsigned long table = n / TAGS_PER_PAGE;
    uint8_t **tables =
        table / PAGES_PER_TABLE < DIRECTORY ? directory[table / PAGES_PER_TABLE] : NULL;
    uint8_t *tags = tables ? tables[table % PAGES_PER_TABLE] : NULL;

    return tags ? &tags[n % TAGS_PER_PAGE] : NULL;
}

static void push_block(void *block, unsigned int order)
{
    *tag_of(block) = 1 + order;
    list_add_first(&free_blocks[order], block);
}

static void free_block(char *block, unsigned int order)
{
    mapped_free += 1UL << order;
    for (; order < PAGE_MAX_ORDER; order++) {
        char *buddy = (char *)((unsigned long)block ^ PAGE_SIZE << order);
        uint8_t *tag = tag_of(buddy);

        if (!tag || *tag != 1 + order)
            break;
        *tag = 0;
        list_remove((struct list *)buddy);
        block = MIN(block, buddy);
    }
    push_block(block, order);
}

static void *take_block(unsigned int order)
{
    unsigned int have = order;
    char *block;

    while (have <= PAGE_MAX_ORDER && list_empty(&free_blocks[have]))
        have++;
    if (have > PAGE_MAX_ORDER)
        return NULL;
    block = (char *)list_take_first(&free_blocks[have]);
    *tag_of(block) = 0;
    while (have > order) {
        have--;
        push_block(block + (PAGE_SIZE << have), have);
    }
    mapped_free -= 1UL << order;
    return block;
}

static void *take_page(void)
{
    return take_block(0);
}

static void *take_zeroed(void)
{
    void *page = take_page();

    return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

/* Tags for [start, end), in zeroed pages that `take` gives. */
__attribute__((cold)) static bool provide_tags(char *start, char *end, void *(*take)(void))
{
    unsigned long first = (unsigned long)start / PAGE_SIZE / TAGS_PER_PAGE;
    unsigned long last = ((unsigned long)end - 1) / PAGE_SIZE / TAGS_PER_PAGE;

    if (last / PAGES_PER_TABLE >= DIRECTORY)
        return false;
    for (unsigned long table = first; table <= last; table++) {
        uint8_t ***tables = &directory[table / PAGES_PER_TABLE];
        uint8_t **tags;

        if (!*tables && !(*tables = take()))
            return false;
        tags = &(*tables)[table % PAGES_PER_TABLE];
        if (!*tags && !(*tags = take()))
            return false;
    }
    return true;
}

/* Free [start, end) as the largest aligned blocks. */
static void free_range(char *start, char *end)
{
    while (start < end) {
        unsigned int order = lowest_bit((unsigned long)start >> PAGE_SHIFT | 1UL << PAGE_MAX_ORDER);

        while (PAGE_SIZE << order > (size_t)(end - start))
            order--;
        free_block(start, order);
        start += PAGE_SIZE << order;
    }
}

/* Map the domain's memory up to the next multiple of 2 MiB. */
__attribute__((cold)) static bool grow(void)
{
    char *start, *end;
    int rc;

    while (nr_unmapped && unmapped[nr_unmapped - 1].start == unmapped[nr_unmapped - 1].end)
        nr_unmapped--;
    if (nr_unmapped == 0)
        return false;
    start = unmapped[nr_unmapped - 1].start;
    end = (char *)ROUND_UP((unsigned long)start + 1, CHUNK);
    end = MIN(end, unmapped[nr_unmapped - 1].end);
    if (!provide_tags(start, end, take_zeroed))
        return false;
    rc = mmu_map_direct(start, end, take_page);
    if (rc) {
        log_error("memory: cannot map 2 MiB at %p: %s; going on without what lies from there",
                  (void *)start, error_name(rc));
        unmapped[nr_unmapped - 1].end = start;
        return false;
    }
    unmapped[nr_unmapped - 1].start = end;
    free_range(start, end);
    return true;
}

void *pages_alloc(unsigned int order)
{
    bool enabled;
    void *block;

    if (order > PAGE_MAX_ORDER)
        return NULL;
    enabled = spin_lock_save(&lock);
    while (mapped_free < (1UL << order) + GROW_RESERVE && grow())
        ;
    do
        block = take_block(order);
    while (!block && grow());
    spin_unlock_restore(&lock, enabled);
    return block;
}

void *page_alloc_zeroed(void)
{
    void *page = pages_alloc(0);

    return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

void pages_free(void *pages, unsigned int order)
{
    bool enabled;

    if (!pages)
        return;
    enabled = spin_lock_save(&lock);
    free_block(pages, order);
    spin_unlock_restore(&lock, enabled);
}

void page_get_stats(struct page_stats *stats)
{
    bool enabled = spin_lock_save(&lock);

    stats->total = total;
    stats->free = mapped_free;
    for (unsigned int i = 0; i < nr_unmapped; i++)
        stats->free += (unmapped[i].end - unmapped[i].start) / PAGE_SIZE;
    spin_unlock_restore(&lock, enabled);
}

static char *boot_at; /* the first pages become the tags of the rest */

static void *boot_take(void)
{
    void *page = boot_at;

    boot_at += PAGE_SIZE;
    return memset(page, 0, PAGE_SIZE);
}

__attribute__((cold)) void page_add_mapped(void *start, void *end)
{
    if (start == end)
        return;
    if (total == 0)
        for (unsigned int order = 0; order <= PAGE_MAX_ORDER; order++)
            list_init(&free_blocks[order]);
    total += ((char *)end - (char *)start) / PAGE_SIZE;
    boot_at = start;
    if (!provide_tags(start, end, boot_take))
        panic("the domain's first memory lies at %p, too high", start);
    free_range(boot_at, end);
}

__attribute__((cold)) void page_add_unmapped(void *start, void *end)
{
    if (start == end)
        return;
    kassert(nr_unmapped < PAGE_UNMAPPED_MAX);
    unmapped[nr_unmapped].start = start;
    unmapped[nr_unmapped].end = end;
    nr_unmapped++;
    total += ((char *)end - (char *)start) / PAGE_SIZE;
}
