/* SPDX-License-Identifier: MIT
 *
 * The two regions outside the direct map: frames of others, and malloc's memory.
 */
#include <string.h>
#include "arch/mmu.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "mm/address_space.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define HEAP_STEP_MIN   4  /* pages mapped at once: few for a small program, ... */
#define HEAP_STEP_MAX   64 /* ... more as it grows */
#define HEAP_STEP_SHIFT 3  /* an eighth of what there is */
#define HEAP_LEAVES                                                                                \
    64 /* pages malloc may not have: the kernel goes on when the program's memory is out */

struct range {
    char *start, *end; /* the guard page behind it included */
    struct list link;
};

/* Serialises changes of page tables outside the direct map; taken before the page allocator's lock.
 */
static spinlock_t map_lock = SPINLOCK_INIT_RANK(LOCK_VSPACE);
static struct list ranges = LIST_INIT(ranges); /* held: map_lock; in use, ascending */
static char *heap_end = (char *)HEAP_START;    /* the caller of heap_grow() serialises */
static char *heap_mapped = (char *)HEAP_START; /* pages below exist */
static char *heap_dirty = (char *)HEAP_START;  /* memory below was handed out once */

void *vspace_alloc(size_t count)
{
    char *start = (char *)VSPACE_START;
    struct range *range;
    struct list *it;
    size_t size;
    bool enabled;

    if (count >= (VSPACE_END - VSPACE_START) / PAGE_SIZE) /* here: the size in bytes could wrap */
        return NULL;
    range = kmem_alloc(sizeof(*range));
    if (!range)
        return NULL;
    size = (count + 1) * PAGE_SIZE;
    enabled = spin_lock_save(&map_lock);
    list_for_each (it, &ranges) {
        struct range *used = list_entry(it, struct range, link);

        if ((size_t)(used->start - start) >= size)
            break;
        start = used->end;
    }
    if ((size_t)((char *)VSPACE_END - start) >= size) {
        *range = (struct range){ .start = start, .end = start + size };
        list_add_after(it->prev, &range->link);
    } else {
        start = NULL;
    }
    spin_unlock_restore(&map_lock, enabled);
    if (!start)
        kmem_free(range);
    return start;
}

void vspace_free(void *start, size_t count)
{
    struct range *found = NULL;
    struct list *it;
    bool enabled = spin_lock_save(&map_lock);

    list_for_each (it, &ranges) {
        struct range *range = list_entry(it, struct range, link);

        if (range->start == start && range->end == range->start + (count + 1) * PAGE_SIZE) {
            found = range;
            list_remove(it);
            break;
        }
    }
    spin_unlock_restore(&map_lock, enabled);
    kmem_free(found);
}

int map_frames(void *start, const mfn_t *frames, size_t count, enum map_prot prot)
{
    bool enabled = spin_lock_save(&map_lock);
    int rc = mmu_map(start, frames, count, prot == MAP_WRITE);

    spin_unlock_restore(&map_lock, enabled);
    return rc;
}

void unmap_frames(void *start, size_t count)
{
    bool enabled = spin_lock_save(&map_lock);

    mmu_unmap(start, count);
    spin_unlock_restore(&map_lock, enabled);
}

int page_set_guard(void *page, bool guard)
{
    return mmu_guard(page, guard);
}

/* Map `count` fresh zeroed pages behind heap_mapped; how many it was. */
static size_t heap_map(size_t count)
{
    mfn_t frames[HEAP_STEP_MAX];
    void *pages[HEAP_STEP_MAX];
    size_t got = 0;

    while (got < count && (pages[got] = page_alloc_zeroed())) {
        frames[got] = virt_to_mfn(pages[got]);
        got++;
    }
    if (got && map_frames(heap_mapped, frames, got, MAP_WRITE)) {
        unmap_frames(heap_mapped, got);
        while (got)
            pages_free(pages[--got], 0);
    }
    heap_mapped += got * PAGE_SIZE;
    return got;
}

/* Would mapping up to `end` leave the kernel enough? Asked first, so that a hopeless wish takes
 * nothing. */
static bool heap_can_reach(const char *end)
{
    struct page_stats stats;
    size_t pages =
        end > heap_mapped ? ROUND_UP((size_t)(end - heap_mapped), PAGE_SIZE) / PAGE_SIZE : 0;
    /* Besides: a table here and one in the direct map for each 512, tags for each 4096. */
    size_t besides = pages / 200 + 4;

    page_get_stats(&stats);
    return pages + besides + HEAP_LEAVES <= stats.free;
}

void *heap_grow(ptrdiff_t increment)
{
    char *old = heap_end;

    if (increment > (char *)HEAP_END - heap_end || increment < (char *)HEAP_START - heap_end ||
        (old + increment > heap_mapped && !heap_can_reach(old + increment)))
        return NULL;
    while (old + increment > heap_mapped) {
        size_t want = ROUND_UP((size_t)(old + increment - heap_mapped), PAGE_SIZE) / PAGE_SIZE;
        size_t step = (heap_mapped - (char *)HEAP_START) / PAGE_SIZE >> HEAP_STEP_SHIFT;

        step = MAX(step, HEAP_STEP_MIN);
        step = MIN(MAX(step, want), HEAP_STEP_MAX);
        step = heap_can_reach(heap_mapped + step * PAGE_SIZE) ? step : MIN(want, HEAP_STEP_MAX);
        if (heap_map(step) < MIN(step, want))
            return NULL; /* the pages that could be had stay, for a smaller wish */
    }
    heap_end += increment;
    if (increment < 0)
        heap_dirty = MAX(heap_dirty, old);
    else if (heap_dirty > old) /* calloc() relies on new memory being zero */
        memset(old, 0, MIN(increment, heap_dirty - old));
    return old;
}

size_t heap_size(void)
{
    return heap_end - (char *)HEAP_START;
}
