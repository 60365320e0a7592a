/* SPDX-License-Identifier: MIT
 *
 * The buddy system: mm/page.c itself, page by page.
 */
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/host/real_pages.h"

#define CHUNK_PAGES (1UL << PAGE_MAX_ORDER)

static char *reserve(void)
{
    static char *base;

    if (!base)
        base = fake_pages_reserve(ARENA_PAGES);
    return base;
}

/* Everything there is, in blocks of `order`; how many it was. They are chained through `all`. */
static char *all[ARENA_PAGES];

static unsigned long take_all(unsigned int order)
{
    unsigned long n = 0;

    while ((all[n] = arena_alloc(order)) != NULL)
        n++;
    return n;
}

static void free_all(unsigned long count, unsigned int order)
{
    while (count) {
        unsigned long at = arena_random(count);

        arena_free(all[at], order);
        all[at] = all[--count];
    }
}

TEST(boot_ranges_not_aligned)
{
    static const unsigned long ranges[][2] = { { 0, 512 },   { 1, 512 },   { 3, 20 },
                                               { 511, 513 }, { 511, 700 }, { 229, 1024 },
                                               { 7, 4097 },  { 100, 103 }, { 3583, 3600 } };

    for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
        unsigned long count;

        arena_boot(reserve(), ranges[i][0], ranges[i][1], ranges[i][1]);
        arena_check();
        count = take_all(0);
        CHECK_EQ(count, ranges[i][1] - ranges[i][0] - arena_tag_pages());
        arena_check();
        free_all(count, 0);
        arena_check();
    }
}

TEST(every_order_is_aligned_to_its_size)
{
    char *blocks[PAGE_MAX_ORDER + 1];

    arena_boot(reserve(), 5, 4 * CHUNK_PAGES, 4 * CHUNK_PAGES);
    for (unsigned int turn = 0; turn < 2; turn++) {
        for (unsigned int order = 0; order <= PAGE_MAX_ORDER; order++) /* claim checks alignment */
            CHECK((blocks[order] = arena_alloc(order)) != NULL);
        arena_check();
        for (unsigned int order = 0; order <= PAGE_MAX_ORDER; order++)
            arena_free(blocks[order], order);
        arena_check();
    }
    CHECK(pages_alloc(PAGE_MAX_ORDER + 1) == NULL);
    CHECK(pages_alloc(64) == NULL); /* 1 << 64 would be 1 */
    pages_free(NULL, 3);
    arena_check();
}

TEST(split_and_merge_to_one_block)
{
    char *left, *right, *block;

    arena_boot(reserve(), CHUNK_PAGES - 10, 2 * CHUNK_PAGES, 2 * CHUNK_PAGES);
    CHECK((block = arena_alloc(PAGE_MAX_ORDER)) == arena_page(CHUNK_PAGES));
    CHECK(arena_alloc(4) == NULL); /* 10 pages less the tags remain, none of them 16 in a row */
    arena_free(block, PAGE_MAX_ORDER);
    left = arena_alloc(8);
    right = arena_alloc(8);
    CHECK_EQ((unsigned long)left ^ (unsigned long)right, PAGE_SIZE << 8);
    arena_free(left, 8);
    CHECK(arena_alloc(9) == NULL); /* half of it is in use */
    arena_free(right, 8);
    CHECK(arena_alloc(9) == block);
}

TEST(exhausted_is_null_and_usable_after)
{
    for (unsigned int order = 0; order <= PAGE_MAX_ORDER; order++) {
        unsigned long count;

        arena_boot(reserve(), 3, 2 * CHUNK_PAGES, 3000);
        count = take_all(order);
        CHECK_GT(count, 0);
        for (unsigned int again = 0; again < 3; again++)
            CHECK(pages_alloc(order) == NULL);
        arena_check();
        arena_free(all[count / 2], order);
        all[count / 2] = arena_alloc(order);
        CHECK(all[count / 2] != NULL);
        free_all(count, order);
        arena_check();
        CHECK_EQ(take_all(order), count);
    }
}

TEST(zeroed_page_is_zero_when_it_was_used)
{
    arena_boot(reserve(), 0, 30, 30);
    for (unsigned long n = take_all(0); n > 0; n--) {
        memset(all[n - 1], 0xa5, PAGE_SIZE);
        *(void **)all[n - 1] = all[n - 1];
        *(void **)(all[n - 1] + PAGE_SIZE - sizeof(void *)) = all[n - 1];
        arena_free(all[n - 1], 0);
    }
    for (unsigned long pages = 0;; pages++) {
        char *page = page_alloc_zeroed();

        if (!page) {
            CHECK_EQ(pages, 30 - arena_tag_pages());
            break;
        }
        for (unsigned long i = 0; i < PAGE_SIZE; i++)
            CHECK_EQ(page[i], 0);
    }
}

/* --- growth ---------------------------------------------------------------------------------- */

TEST(grows_by_2_mib_when_wanted)
{
    unsigned long before;

    arena_boot(reserve(), CHUNK_PAGES - 20, CHUNK_PAGES, 3 * CHUNK_PAGES + 100);
    CHECK_EQ(arena.map_calls, 0); /* boot costs nothing */
    while (arena.map_calls == 0 && arena.owned_pages < 20)
        CHECK(arena_alloc(0) != NULL);
    CHECK_EQ(arena.owned_pages, 20 - arena_tag_pages() - GROW_RESERVE + 1);
    CHECK_EQ(arena.mapped, 2 * CHUNK_PAGES);
    arena_check();
    before = arena.owned_pages;
    CHECK(arena_alloc(PAGE_MAX_ORDER) != NULL); /* asks for more than there is mapped */
    CHECK_EQ(arena.mapped, 3 * CHUNK_PAGES);
    CHECK_EQ(arena.owned_pages, before + CHUNK_PAGES);
    arena_check();
    take_all(0);
    CHECK_EQ(arena.map_calls, 3);
    CHECK_EQ(arena.mapped, 3 * CHUNK_PAGES + 100); /* the last part is short */
    CHECK_EQ(mapped_free, 0);
    arena_check();
}

TEST(growth_never_lacks_its_own_pages)
{
    for (unsigned int boot_pages = 11; boot_pages < 30; boot_pages++) {
        for (unsigned int order = 0; order <= PAGE_MAX_ORDER; order += 3) {
            struct page_stats stats;

            arena_boot(reserve(), 12 * CHUNK_PAGES - boot_pages, 12 * CHUNK_PAGES, ARENA_PAGES);
            arena.more = 3;
            for (unsigned long i = take_all(order); i > 0; i--)
                arena_free(all[i - 1], order);
            CHECK_EQ(arena.mapped, ARENA_PAGES);
            arena_check();
            page_get_stats(&stats);
            CHECK_EQ(stats.free, mapped_free);
        }
    }
}

TEST(failing_growth_leaves_what_was_mapped)
{
    for (long fail = 0; fail < 4; fail++) {
        struct page_stats stats;
        unsigned long count;

        arena_boot(reserve(), 400, CHUNK_PAGES, 6 * CHUNK_PAGES);
        arena.fail_map = fail;
        count = take_all(0);
        CHECK_EQ(arena.map_calls, fail + 1); /* not tried again */
        CHECK_EQ(arena.mapped, CHUNK_PAGES * (1 + fail));
        CHECK_EQ(count, CHUNK_PAGES * (1 + fail) - 400 - fail - arena_tag_pages());
        CHECK_EQ(fake_logged("cannot map 2 MiB"), fail + 1);
        page_get_stats(&stats);
        CHECK_EQ(stats.free, 0);
        CHECK_EQ(stats.total, 6 * CHUNK_PAGES - 400);
        free_all(count, 0);
        page_get_stats(&stats);
        CHECK_EQ(stats.free, count);
        CHECK_EQ(take_all(0), count);
    }
}

TEST(nothing_to_map_may_lie_anywhere)
{
    arena_boot(reserve(), 400, 1001, 1001); /* the end is no multiple of 2 MiB */
    CHECK_EQ(take_all(0), 1001 - 400 - arena_tag_pages());
    CHECK_EQ(arena.map_calls, 0);
}

/* Ranges with holes between them, whose ends are multiples of nothing: each page once, mapped up to
 * the next multiple of 2 MiB at a time. */
static int map_anything(void *start, void *end, void *(*more)(void));

TEST(many_ranges_of_any_size)
{
    static const unsigned long ranges[][2] = {
        { 513, 514 }, { 700, 1900 }, { 2048, 2560 }, { 2561, 2563 }
    };
    struct page_stats stats;
    unsigned long count = 512;

    arena_boot(reserve(), 0, 512, 512);
    mapper = map_anything;
    for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
        page_add_unmapped(arena_page(ranges[i][0]), arena_page(ranges[i][1]));
        count += ranges[i][1] - ranges[i][0];
    }
    page_add_unmapped(arena_page(4000), arena_page(4000)); /* nothing */
    page_get_stats(&stats);
    CHECK_EQ(stats.total, count);
    count = stats.free;
    for (unsigned long i = 0; i < count; i++) {
        char *page = pages_alloc(0);

        CHECK(page != NULL);
        CHECK_EQ(*page, 0); /* handed out once */
        *page = 1;
    }
    CHECK(pages_alloc(0) == NULL);
    mapper = NULL;
}

static int map_anything(void *start, void *end, void *(*more)(void))
{
    (void)more;
    CHECK(end > start && ((unsigned long)start ^ ((unsigned long)end - 1)) < CHUNK);
    return mprotect(start, (size_t)((char *)end - (char *)start), PROT_READ | PROT_WRITE);
}

TEST(more_ranges_than_are_kept)
{
    arena_boot(reserve(), 0, 512, 512);
    for (unsigned long i = 1; i <= PAGE_UNMAPPED_MAX; i++)
        page_add_unmapped(arena_page(i * 1024), arena_page(i * 1024 + 1));
    CHECK_ENDS_DOMAIN(page_add_unmapped(arena_page(513), arena_page(514)));
}

TEST(memory_above_2_tib_is_refused)
{
    memset(directory, 0, sizeof(directory));
    CHECK_ENDS_DOMAIN(page_add_mapped((void *)(2UL << 40), (void *)((2UL << 40) + CHUNK)));
    CHECK(strstr(fake_xen.last_words, "too high") != NULL);
}

/* --- tags ------------------------------------------------------------------------------------ */

TEST(tags_across_16_mib)
{
    unsigned long count;

    arena_boot(reserve(), 3000, 8 * CHUNK_PAGES, ARENA_PAGES);
    count = take_all(PAGE_MAX_ORDER);
    CHECK_GT(arena_tag_pages(), 3);
    arena_check();
    free_all(count, PAGE_MAX_ORDER);
    arena_check();
    count = take_all(0);
    arena_check();
    free_all(count, 0);
    arena_check();
}

void __asan_get_shadow_mapping(size_t *scale, size_t *offset);

/* Memory around 8 GiB lies where the address sanitizer wants none: it gets shadow of its own there.
 */
static char *map_around(unsigned long middle)
{
    unsigned long start = (middle - ARENA_PAGES / 2 * PAGE_SIZE) / CHUNK * CHUNK;
    size_t len = ROUND_UP(ARENA_PAGES * PAGE_SIZE, CHUNK), scale, offset;

    __asan_get_shadow_mapping(&scale, &offset);
    for (unsigned int shadow = 0; shadow < 2; shadow++) {
        unsigned long at = shadow ? (start >> scale) + offset : start;
        size_t size = shadow ? len >> scale : len;

        if (syscall(SYS_mmap, at, size, PROT_READ | PROT_WRITE,
                    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != (long)at)
            abort();
    }
    return (char *)start;
}

TEST(tags_across_8_gib)
{
    unsigned long middle = 8UL << 30, count;
    char *base = map_around(middle);
    unsigned long boundary = (middle - (unsigned long)base) / PAGE_SIZE;

    for (unsigned int turn = 0; turn < 2;
         turn++) { /* the boundary in boot's range, or grown over */
        arena_boot(base, boundary - 700, boundary + (turn ? CHUNK_PAGES : 0), ARENA_PAGES);
        arena.more = 3; /* and new tables of tags in the same step: the most a step takes */
        count = take_all(0);
        arena_check();
        CHECK_EQ(count, ARENA_PAGES - boundary + 700 - arena.table_pages - arena_tag_pages());
        free_all(count, 0);
        arena_check();
        CHECK(directory[0] != NULL && directory[1] != NULL);
        count = take_all(PAGE_MAX_ORDER);
        CHECK_GT(count, 0);
        free_all(count, PAGE_MAX_ORDER);
        arena_check();
    }
}

/* --- much of everything ---------------------------------------------------------------------- */

static void random_run(uint64_t seed)
{
    static struct {
        char *pages;
        unsigned int order;
    } held[2000];
    unsigned int count = 0;

    arena_boot(reserve(), seed * 37 % CHUNK_PAGES, (1 + seed % 3) * CHUNK_PAGES,
               6 * CHUNK_PAGES + seed * 101 % CHUNK_PAGES);
    arena.random_state = seed;
    arena.more = (unsigned int)(seed % 4);
    for (unsigned int step = 0; step < 6000; step++) {
        bool filling = step / 1000 % 2 == 0;

        if (count < ARRAY_SIZE(held) && (count == 0 || arena_random(10) < (filling ? 7 : 3))) {
            unsigned int order = (unsigned int)arena_random(1 + arena_random(PAGE_MAX_ORDER + 1));

            held[count].pages = arena_alloc(order);
            held[count].order = order;
            count += held[count].pages != NULL;
        } else {
            unsigned int at = (unsigned int)arena_random(count);

            arena_free(held[at].pages, held[at].order);
            held[at] = held[--count];
        }
        if (step % 500 == 0)
            arena_check();
    }
    while (count--)
        arena_free(held[count].pages, held[count].order);
    arena_check();
}

TEST(random_against_model)
{
    for (uint64_t seed = 0; seed < 40; seed++)
        random_run(seed);
}

static void *churn(void *arg)
{
    unsigned int vcpu = (unsigned int)(unsigned long)arg;
    unsigned long *held[16] = { NULL };

    fake_cpu_adopt(vcpu);
    for (unsigned int step = 0; step < 20000; step++) {
        unsigned int at = step * 7 % ARRAY_SIZE(held);

        if (held[at] && held[at][1] != vcpu)
            test_fail(__FILE__, __LINE__, "a page has two owners");
        pages_free(held[at], at % 3);
        held[at] = pages_alloc(at % 3);
        if (held[at])
            held[at][1] = vcpu;
    }
    for (unsigned int at = 0; at < ARRAY_SIZE(held); at++)
        pages_free(held[at], at % 3);
    return NULL;
}

TEST(vcpus_share_it)
{
    pthread_t threads[3];

    arena_boot(reserve(), 0, 60, 60);
    for (unsigned long i = 0; i < ARRAY_SIZE(threads); i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    arena_check();
}
