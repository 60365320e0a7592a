/* SPDX-License-Identifier: MIT
 *
 * The regions outside the direct map: mm/address_space.c itself, on the real page allocator.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <sanitizer/asan_interface.h>
#include "arch/mmu.h"
#include "lib/atomic.h"
#include "tests/host/test.h"

static int tables_map(void *start, const mfn_t *frames, size_t count, bool writable);
#define mmu_map tables_map
#include "mm/address_space.c"
#undef mmu_map

#define VSPACE_PAGES ((VSPACE_END - VSPACE_START) / PAGE_SIZE)

static long fail_map = -1; /* the page that cannot be mapped */
static bool has_table[(HEAP_END - HEAP_START) >> (PAGE_SHIFT + 9)]; /* of the heap's last level */

/* As x86 maps: a new last-level table is a page of the allocator's. What was mapped before a
 * failure stays. */
static int tables_map(void *start, const mfn_t *frames, size_t count, bool writable)
{
    for (size_t i = 0; i < count; i++) {
        char *virt = (char *)start + i * PAGE_SIZE;
        size_t table = ((unsigned long)virt - HEAP_START) >> (PAGE_SHIFT + 9);

        if (table < ARRAY_SIZE(has_table) && !has_table[table]) {
            if (!page_alloc_zeroed())
                return -XEN_ENOMEM;
            has_table[table] = true;
        }
        if (fail_map >= 0 && fail_map-- == 0)
            return -XEN_EINVAL;
        if (!fake_map(virt, frames[i], !writable))
            return -XEN_EINVAL;
    }
    return 0;
}

static unsigned long free_pages(void)
{
    struct page_stats stats;

    page_get_stats(&stats);
    return stats.free;
}

/* Memory: `mapped` pages there, `more` to be mapped. All of it was used before. */
static void boot(unsigned long mapped, unsigned long more)
{
    char *pages = fake_pages_reserve(mapped + more);

    CHECK(pages != NULL);
    memset(pages, 0xa5, (mapped + more) * PAGE_SIZE);
    page_add_mapped(pages, pages + mapped * PAGE_SIZE);
    pages += mapped * PAGE_SIZE;
    __asan_poison_memory_region(pages, more * PAGE_SIZE);
    page_add_unmapped(pages, pages + more * PAGE_SIZE);
}

/* Can the processor write there? */
static bool is_writable(void *at)
{
    return syscall(SYS_getrandom, at, 1, 0) == 1;
}

static bool is_zero(const char *at, size_t len)
{
    while (len && !at[len - 1])
        len--;
    return len == 0;
}

/* --- ranges of addresses --------------------------------------------------------------------- */

TEST(vspace_first_fit_with_a_guard_page)
{
    char *a = vspace_alloc(3), *b = vspace_alloc(1), *c = vspace_alloc(10);

    CHECK_EQ(a, VSPACE_START);
    CHECK_EQ(b - a, 4 * PAGE_SIZE);
    CHECK_EQ(c - b, 2 * PAGE_SIZE);
    vspace_free(b, 1);
    CHECK_EQ(vspace_alloc(2), c + 11 * PAGE_SIZE); /* the hole has room for one and its guard */
    CHECK_EQ(vspace_alloc(1), b);
    vspace_free(b, 1);
    vspace_free(a, 3); /* one hole now */
    CHECK_EQ(vspace_alloc(5), a);
    vspace_free(a, 5);
    CHECK_EQ(vspace_alloc(2), a);
    CHECK_EQ(vspace_alloc(2), a + 3 * PAGE_SIZE);
    CHECK_EQ(fake_alloc_live(), 4);
}

TEST(vspace_full_is_null_and_usable_after)
{
    char *all = vspace_alloc(VSPACE_PAGES - 1);

    CHECK_EQ(all, VSPACE_START);
    CHECK(vspace_alloc(0) == NULL);
    CHECK(vspace_alloc(1) == NULL);
    CHECK_EQ(fake_alloc_live(), 1);
    vspace_free(all, VSPACE_PAGES - 1);
    CHECK_EQ(fake_alloc_live(), 0);
    CHECK_EQ(vspace_alloc(1), all);
    CHECK(vspace_alloc(VSPACE_PAGES - 2) == NULL);
    CHECK_EQ(vspace_alloc(VSPACE_PAGES - 3), all + 2 * PAGE_SIZE);
}

TEST(vspace_absurd_wishes_are_null)
{
    static const size_t counts[] = { VSPACE_PAGES,    VSPACE_PAGES + 1, 1UL << 51,
                                     (1UL << 52) - 1, 1UL << 52,        (1UL << 52) + 1,
                                     SIZE_MAX / 2,    SIZE_MAX - 1,     SIZE_MAX };

    for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++)
        CHECK(vspace_alloc(counts[i]) == NULL);
    CHECK_EQ(fake_alloc_live(), 0);
    CHECK_EQ(vspace_alloc(1), VSPACE_START);
}

TEST(vspace_without_memory_is_null)
{
    fake_alloc_fail_after(0);
    CHECK(vspace_alloc(1) == NULL);
    fake_alloc_fail_after(-1);
    CHECK_EQ(vspace_alloc(1), VSPACE_START);
}

TEST(vspace_random_never_overlaps)
{
    static struct {
        char *start;
        size_t count;
    } held[100];
    unsigned long seed = 1;

    for (unsigned int step = 0; step < 5000; step++) {
        unsigned int at = step * 31 % ARRAY_SIZE(held);

        if (held[at].start)
            vspace_free(held[at].start, held[at].count);
        seed = seed * 6364136223846793005 + 1442695040888963407;
        held[at].count = seed >> 33 & (step % 7 ? 31 : 1023);
        held[at].start = vspace_alloc(held[at].count);
        CHECK(held[at].start != NULL);
        for (unsigned int i = 0; i < ARRAY_SIZE(held); i++) {
            if (i != at && held[i].start)
                CHECK(held[i].start + (held[i].count + 1) * PAGE_SIZE <= held[at].start ||
                      held[at].start + (held[at].count + 1) * PAGE_SIZE <= held[i].start);
        }
    }
    CHECK_LE(fake_alloc_live(), ARRAY_SIZE(held));
}

TEST(mapped_frames_are_as_asked)
{
    char *window = vspace_alloc(2), *page;
    mfn_t frames[2];

    boot(64, 0);
    page = pages_alloc(1);
    frames[0] = virt_to_mfn(page + PAGE_SIZE); /* the two swapped */
    frames[1] = virt_to_mfn(page);
    CHECK_EQ(map_frames(window, frames, 2, MAP_WRITE), 0);
    strcpy(window, "second");
    strcpy(window + PAGE_SIZE, "first");
    CHECK_STR(page, "first");
    CHECK_STR(page + PAGE_SIZE, "second");
    CHECK(is_writable(window + 100));
    CHECK(!is_writable(window + 2 * PAGE_SIZE)); /* the guard page */
    unmap_frames(window, 2);
    CHECK(!is_writable(window));
    CHECK_EQ(map_frames(window, frames, 2, MAP_READ), 0);
    CHECK(!is_writable(window + 100));
    CHECK_STR(window, "second");
    unmap_frames(window, 2);
    frames[1].n = 0;
    CHECK_EQ(map_frames(window, frames, 2, MAP_WRITE), -XEN_EINVAL);
}

/* --- malloc's region ------------------------------------------------------------------------- */

TEST(heap_grows_zeroed_and_in_one_piece)
{
    char *end = (char *)HEAP_START;

    boot(512, 512);
    CHECK_EQ(heap_size(), 0);
    for (ptrdiff_t step = 1; step < 300000; step = step * 3 + 1) {
        CHECK_EQ(heap_grow(step), end);
        CHECK(is_zero(end, (size_t)step));
        memset(end, 0x5a, (size_t)step);
        end += step;
        CHECK_EQ(heap_size(), end - (char *)HEAP_START);
    }
    CHECK_EQ(heap_grow(0), end);
}

TEST(heap_memory_is_zero_again)
{
    char *start;

    boot(512, 0);
    start = heap_grow(100000);
    memset(start, 0x5a, 100000);
    CHECK_EQ(heap_grow(-99990), start + 100000);
    CHECK_EQ(heap_size(), 10);
    CHECK_EQ(heap_grow(50000), start + 10);
    CHECK(is_zero(start + 10, 50000));
    CHECK_EQ(start[9], 0x5a); /* what was not given back stays */
    memset(start, 0x5a, 50010);
    CHECK_EQ(heap_grow(-50010), start + 50010);
    CHECK_EQ(heap_grow(200000), start); /* over everything that was ever used */
    CHECK(is_zero(start, 200000));
}

TEST(heap_end_stays_in_its_region)
{
    char *start;

    boot(512, 0);
    start = heap_grow(5000);
    CHECK(heap_grow(-5001) == NULL);
    CHECK(heap_grow(PTRDIFF_MIN) == NULL);
    CHECK(heap_grow(PTRDIFF_MAX) == NULL);
    CHECK(heap_grow((ptrdiff_t)(HEAP_END - HEAP_START)) == NULL);
    CHECK(heap_grow((ptrdiff_t)(HEAP_END - HEAP_START) - 5000) == NULL); /* memory is out before */
    CHECK_EQ(heap_size(), 5000);
    CHECK_EQ(heap_grow(-5000), start + 5000);
    CHECK_EQ(heap_size(), 0);
}

TEST(heap_huge_wish_takes_nothing)
{
    unsigned long before;

    boot(512, 2048);
    before = free_pages();
    CHECK(heap_grow((ptrdiff_t)(before * PAGE_SIZE)) == NULL);
    CHECK(heap_grow((ptrdiff_t)((before - HEAP_LEAVES) * PAGE_SIZE) + 1) == NULL);
    CHECK(heap_grow(1L << 31) == NULL);
    CHECK_EQ(free_pages(), before);
    CHECK_EQ(heap_size(), 0);
    CHECK_EQ(heap_grow(100000), HEAP_START);
}

/* Take what can be had by wishes of `step` bytes. */
static void exhaust(ptrdiff_t step)
{
    size_t size;

    do
        size = heap_size();
    while (heap_grow(step));
    CHECK_EQ(heap_size(), size);
    CHECK_GE(free_pages(), HEAP_LEAVES);
}

TEST(heap_leaves_the_kernel_its_reserve)
{
    boot(1024, 0);
    exhaust(300 * PAGE_SIZE);
    exhaust(17 * PAGE_SIZE + 5);
    exhaust(PAGE_SIZE);
    exhaust(16); /* smaller wishes still worked after larger ones had failed */
    CHECK_LE(free_pages(), HEAP_LEAVES + 10);
    CHECK(pages_alloc(3) != NULL);
}

/* Mapping the direct map takes pages too, and there is much to map. */
TEST(heap_one_large_wish_leaves_the_reserve)
{
    size_t gained = 0;

    boot(512, 15000);
    for (ptrdiff_t wish = (ptrdiff_t)(free_pages() * PAGE_SIZE); wish > 0; wish -= 3 * PAGE_SIZE) {
        if (heap_grow(wish)) {
            gained = (size_t)wish;
            break;
        }
        CHECK_EQ(heap_size(), 0);
    }
    CHECK_GE(free_pages(), HEAP_LEAVES);
    CHECK_GT(gained, 15000 * PAGE_SIZE);
    CHECK(is_zero((char *)HEAP_START, gained));
    exhaust(16);
}

TEST(heap_failed_mapping_gives_pages_back)
{
    unsigned long before;
    char *start;

    boot(512, 0);
    start = heap_grow(5 * PAGE_SIZE);
    memset(start, 1, 5 * PAGE_SIZE);
    before = free_pages();
    for (long fail = 0; fail < 12; fail += 3) {
        fail_map = fail;
        CHECK(heap_grow(20 * PAGE_SIZE) == NULL);
        CHECK_EQ(heap_size(), 5 * PAGE_SIZE);
        CHECK_EQ(free_pages(), before);
        CHECK(!is_writable(heap_mapped));
    }
    fail_map = -1;
    CHECK_EQ(heap_grow(20 * PAGE_SIZE), start + 5 * PAGE_SIZE);
    CHECK(is_zero(start + 5 * PAGE_SIZE, 20 * PAGE_SIZE));
}

TEST(heap_random_against_model)
{
    static char model[4 << 20];
    size_t size = 0;
    unsigned long seed = 7;

    boot(512, 512);
    for (unsigned int step = 0; step < 1500; step++) {
        ptrdiff_t by;

        seed = seed * 6364136223846793005 + 1442695040888963407;
        by = (ptrdiff_t)(seed >> 33 & (step % 10 ? 0x3fff : 0x3ffff)) -
             (step % 10 ? 0x1f00 : 0x1ff00);
        if ((ptrdiff_t)size + by < 0 || size + (size_t)by > sizeof(model))
            continue;
        if (!heap_grow(by)) {
            CHECK_EQ(heap_size(), size);
            continue;
        }
        if (by > 0) {
            CHECK(is_zero((char *)HEAP_START + size, (size_t)by));
            memset((char *)HEAP_START + size, (int)step, (size_t)by);
            memset(model + size, (int)step, (size_t)by);
        }
        size += (size_t)by;
        CHECK_EQ(heap_size(), size);
        CHECK_GE(free_pages(), HEAP_LEAVES);
        if (step % 50 == 0)
            CHECK_MEM((char *)HEAP_START, model, size);
    }
    CHECK_MEM((char *)HEAP_START, model, size);
}
