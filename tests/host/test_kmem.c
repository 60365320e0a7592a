/* SPDX-License-Identifier: MIT
 *
 * The kernel's heap: mm/kmem.c itself on the real page allocator.
 */
#include <pthread.h>
#include <stdlib.h>
#include "mm/kmem.c"
#include "tests/host/test.h"

#define PAGES   1024UL
#define SIZE(c) (32UL << (c)) /* of an object in class c */

static unsigned long free_at_start;

static unsigned long free_pages(void)
{
    struct page_stats stats;

    page_get_stats(&stats);
    return stats.free;
}

static void boot(void)
{
    char *pages = fake_pages_reserve(PAGES);

    memset(pages, 0xa5, PAGES * PAGE_SIZE); /* memory was used before */
    page_add_mapped(pages, pages + PAGES * PAGE_SIZE);
    page_add_unmapped(NULL, NULL);
    free_at_start = free_pages();
}

static bool is_zero(const char *at, size_t len)
{
    while (len && !at[len - 1])
        len--;
    return len == 0;
}

/* An object of `size`, checked, and filled with `fill`. */
static char *get(size_t size, int fill)
{
    char *object = kmem_alloc(size);

    if (!object)
        return NULL;
    CHECK_EQ((unsigned long)object % 16, 0);
    CHECK(is_zero(object, size));
    memset(object, fill, size);
    return object;
}

TEST(every_size_is_zeroed_aligned_and_its_own)
{
    static char *objects[3000];

    boot();
    for (unsigned int turn = 0; turn < 2; turn++) { /* the second in memory that was used */
        for (size_t size = 0; size < ARRAY_SIZE(objects); size++) {
            objects[size] = get(size, (int)size);
            CHECK(objects[size] != NULL);
            if (size % 5)
                continue; /* keeps one in five: 3000 large ones are more than there is */
            kmem_free(objects[size]);
            objects[size] = NULL;
            if (size > 1024)
                size += 40;
        }
        for (size_t size = 0; size < ARRAY_SIZE(objects); size++) {
            for (size_t i = 0; objects[size] && i < size; i++)
                if (objects[size][i] != (char)size)
                    test_fail(__FILE__, __LINE__, "byte %zu of %zu was changed", i, size);
            kmem_free(objects[size]);
            objects[size] = NULL;
        }
        CHECK(free_at_start - free_pages() <= CLASSES); /* the last of each class stays */
    }
}

TEST(classes_share_pages)
{
    for (unsigned int c = 0; c < CLASSES; c++) {
        unsigned long per_page = (PAGE_SIZE - HEADER) / SIZE(c);
        char *objects[2 * (PAGE_SIZE / 32)];
        unsigned long before;

        if (c == 0)
            boot();
        before = free_pages();
        for (unsigned long i = 0; i < per_page; i++) {
            objects[i] = get(SIZE(c), 1);
            CHECK_EQ((unsigned long)objects[i] & PAGE_MASK, (unsigned long)objects[0] & PAGE_MASK);
        }
        CHECK_EQ(free_pages(), before - 1);
        objects[per_page] = get(SIZE(c), 1); /* a page more */
        CHECK_EQ(free_pages(), before - 2);
        for (unsigned long i = 0; i <= per_page; i++)
            kmem_free(objects[i]);
        CHECK_EQ(free_pages(), before - 1); /* whole slabs go back, but the last of a class */
    }
}

TEST(free_order_does_not_matter)
{
    static char *objects[400];

    boot();
    for (unsigned int order = 0; order < 3; order++) {
        for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++)
            objects[i] = get(200, (int)i);
        for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
            unsigned int at = i;

            if (order == 1)
                at = ARRAY_SIZE(objects) - 1 - i;
            if (order == 2)
                at = i * 37 % ARRAY_SIZE(objects);
            CHECK_EQ(objects[at][199], (char)at);
            kmem_free(objects[at]);
            if (order == 2 && i > 3 && i < 300) { /* a hole is used before a new page is */
                unsigned long before = free_pages();
                char *again = get(200, 0);

                CHECK_EQ(free_pages(), before);
                kmem_free(again);
            }
        }
        CHECK(free_at_start - free_pages() <= CLASSES); /* the last of each class stays */
    }
}

TEST(large_objects_have_pages_of_their_own)
{
    static const struct {
        size_t size;
        unsigned int pages;
    } large[] = {
        { 1025, 1 },      { PAGE_SIZE - HEADER, 1 }, { PAGE_SIZE - HEADER + 1, 2 },
        { PAGE_SIZE, 2 }, { 3 * PAGE_SIZE, 4 },      { (PAGE_SIZE << PAGE_MAX_ORDER) - HEADER, 512 }
    };

    boot();
    for (unsigned int i = 0; i < ARRAY_SIZE(large); i++) {
        char *object = get(large[i].size, 0x5a);

        CHECK(object != NULL);
        CHECK_EQ(free_pages(), free_at_start - large[i].pages);
        kmem_free(object);
        CHECK_EQ(free_pages(), free_at_start);
    }
}

TEST(too_large_is_null)
{
    boot();
    CHECK(kmem_alloc((PAGE_SIZE << PAGE_MAX_ORDER) - HEADER + 1) == NULL);
    CHECK(kmem_alloc(SIZE_MAX / 2 + 2) == NULL);
    CHECK(kmem_alloc(SIZE_MAX - HEADER + 1) == NULL);
    CHECK(kmem_alloc(SIZE_MAX) == NULL);
    CHECK_EQ(free_pages(), free_at_start);
    kmem_free(NULL);
}

TEST(exhausted_is_null_and_usable_after)
{
    static char *objects[PAGES * 4];

    boot();
    for (size_t size = 700; size < 5000; size += 4000) {
        unsigned long count = 0;

        while ((objects[count] = get(size, (int)count)) != NULL)
            count++;
        CHECK_GT(count, PAGES / 3);
        CHECK(kmem_alloc(size) == NULL);
        CHECK(kmem_alloc(32) == NULL || size > 1024);
        kmem_free(objects[count / 2]);
        objects[count / 2] = get(size, (int)(count / 2));
        CHECK(objects[count / 2] != NULL);
        while (count--) {
            CHECK_EQ(objects[count][size - 1], (char)count);
            kmem_free(objects[count]);
        }
        CHECK(free_at_start - free_pages() <= CLASSES); /* the last of each class stays */
    }
}

/* --- promises broken ------------------------------------------------------------------------- */

TEST(double_free_is_caught_with_neighbours_alive)
{
    char *keep, *object;

    boot();
    keep = kmem_alloc(100);
    object = kmem_alloc(100);
    kmem_free(object);
    CHECK_ENDS_DOMAIN(kmem_free(object));
    CHECK(strstr(fake_xen.last_words, "assertion failed") != NULL);
    CHECK(keep != NULL);
}

TEST(double_free_is_caught_in_a_full_slab)
{
    char *objects[3];

    boot();
    for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++)
        objects[i] = kmem_alloc(1024);
    kmem_free(objects[0]);
    CHECK_ENDS_DOMAIN(kmem_free(objects[0]));
}

TEST(double_free_is_caught_of_the_last_object)
{
    char *object;

    boot();
    object = kmem_alloc(100);
    kmem_free(object);
    CHECK_ENDS_DOMAIN(kmem_free(object));
}

TEST(double_free_is_caught_of_a_large_object)
{
    char *objects[4];

    boot();
    for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++)
        objects[i] = kmem_alloc(3000);
    for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++)
        kmem_free(objects[i]); /* all merged: the links of free blocks lie elsewhere */
    CHECK_ENDS_DOMAIN(kmem_free(objects[0]));
    CHECK_ENDS_DOMAIN(kmem_free(objects[1]));
    CHECK_ENDS_DOMAIN(kmem_free(objects[2]));
    CHECK_ENDS_DOMAIN(kmem_free(objects[3]));
}

TEST(free_of_what_is_no_object_is_caught)
{
    char *object;

    boot();
    object = kmem_alloc(100);
    CHECK_ENDS_DOMAIN(kmem_free(object + 16));
    CHECK_ENDS_DOMAIN(kmem_free(pages_alloc(0)));
}

/* --- many at once ---------------------------------------------------------------------------- */

static void *churn(void *arg)
{
    unsigned int vcpu = (unsigned int)(unsigned long)arg;
    unsigned char *held[32] = { NULL };
    size_t sizes[32] = { 0 };

    fake_cpu_adopt(vcpu);
    for (unsigned int step = 0; step < 20000; step++) {
        unsigned int at = step * 13 % 32;

        if (held[at] && (held[at][0] != vcpu || held[at][sizes[at] - 1] != vcpu))
            test_fail(__FILE__, __LINE__, "an object has two owners");
        kmem_free(held[at]);
        sizes[at] = 1 + step * 2654435761U % (step % 16 ? 1100 : 5000);
        held[at] = kmem_alloc(sizes[at]);
        if (held[at])
            held[at][0] = held[at][sizes[at] - 1] = (unsigned char)vcpu;
    }
    for (unsigned int at = 0; at < 32; at++)
        kmem_free(held[at]);
    return NULL;
}

TEST(vcpus_share_it)
{
    pthread_t threads[3];

    boot();
    for (unsigned long i = 0; i < ARRAY_SIZE(threads); i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    CHECK(free_at_start - free_pages() <= CLASSES); /* the last of each class stays */
}
