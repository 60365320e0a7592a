/* SPDX-License-Identifier: MIT
 *
 * Ranges of physical memory: adding and taking away.
 */
#include "boot/memory.h"
#include "arch/page.h"
#include "mm/page.h"

#define LARGE_PAGE (PAGE_SIZE << PAGE_MAX_ORDER)

static uint64_t end_of(uint64_t start, uint64_t size)
{
    uint64_t end;

    return __builtin_add_overflow(start, size, &end) ? UINT64_MAX : end;
}

static uint64_t size_of(const struct memory_range *range)
{
    return range->end - range->start;
}

static void put(struct memory *memory, uint64_t start, uint64_t end)
{
    struct memory_range *into = &memory->ranges[memory->nr];

    if (start >= end)
        return;
    if (memory->nr < MEMORY_RANGES) {
        memory->nr++;
    } else {
        into = memory->ranges;
        for (unsigned int i = 1; i < memory->nr; i++)
            if (size_of(&memory->ranges[i]) < size_of(into))
                into = &memory->ranges[i];
        if (size_of(into) >= end - start)
            return;
    }
    *into = (struct memory_range){ start, end };
}

/* Whole pages. */
static uint64_t cut(struct memory *memory, uint64_t start, uint64_t end)
{
    uint64_t before = 0;

    for (unsigned int i = memory->nr; i-- > 0;) {
        struct memory_range range = memory->ranges[i];

        if (range.end <= start || range.start >= end)
            continue;
        memory->ranges[i] = memory->ranges[--memory->nr]; /* looked at already, or itself */
        put(memory, range.start, MIN(start, range.end));
        put(memory, MAX(end, range.start), range.end);
        before += MIN(end, range.end) - MAX(start, range.start);
    }
    return before / PAGE_SIZE;
}

void memory_add(struct memory *memory, uint64_t start, uint64_t size, uint64_t limit)
{
    uint64_t end = MIN(end_of(start, size), limit) & PAGE_MASK;

    start = ROUND_UP(MIN(start, limit), PAGE_SIZE);
    if (start >= end)
        return;
    cut(memory, start, end); /* told twice is not twice there */
    put(memory, start, end);
}

uint64_t memory_remove(struct memory *memory, uint64_t start, uint64_t size)
{
    uint64_t end = MIN(end_of(start, size), UINT64_MAX & PAGE_MASK);

    return size ? cut(memory, start & PAGE_MASK, ROUND_UP(end, PAGE_SIZE)) : 0;
}

struct memory_range memory_take_first(struct memory *memory)
{
    struct memory_range first = { 0, 0 };

    for (unsigned int i = 0; i < memory->nr; i++) {
        struct memory_range range = memory->ranges[i];
        uint64_t aligned = ROUND_UP(range.start, LARGE_PAGE);

        if (range.end >= aligned + LARGE_PAGE)
            range.start = aligned;
        range.end = MIN(range.end, ROUND_UP(range.start + 1, LARGE_PAGE));
        if (size_of(&range) > size_of(&first))
            first = range;
    }
    cut(memory, first.start, first.end);
    return first;
}
