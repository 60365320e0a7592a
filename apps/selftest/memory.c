/* SPDX-License-Identifier: MIT
 *
 * The page allocator, both heaps, address space, and what is writable.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hypercall/version.h"
#include "mm/address_space.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "selftest.h"

static unsigned long free_pages(void)
{
    struct page_stats stats;

    page_get_stats(&stats);
    return stats.free;
}

static bool all_bytes(const unsigned char *data, size_t len, unsigned char value)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != value)
            return false;
    }
    return true;
}

TEST(pages_alloc_is_aligned_and_returns)
{
    void *pages[PAGE_MAX_ORDER + 1];
    unsigned long before;

    pages_free(pages_alloc(7), 7); /* mapping more memory, if it has to be, takes a page for good */
    before = free_pages();
    for (unsigned int order = 0; order <= 6; order++) {
        pages[order] = pages_alloc(order);
        REQUIRE(pages[order] != NULL);
        CHECK_EQ((uintptr_t)pages[order] % (PAGE_SIZE << order), 0);
        memset(pages[order], (int)order, PAGE_SIZE << order);
    }
    for (unsigned int order = 0; order <= 6; order++) {
        CHECK(all_bytes(pages[order], PAGE_SIZE << order, (unsigned char)order));
        pages_free(pages[order], order);
    }
    CHECK_EQ(free_pages(), before);
}

TEST(page_alloc_zeroed_after_use_is_zero)
{
    for (int i = 0; i < 16; i++) {
        unsigned char *page = page_alloc_zeroed();

        REQUIRE(page != NULL);
        CHECK(all_bytes(page, PAGE_SIZE, 0));
        memset(page, 0xff, PAGE_SIZE);
        pages_free(page, 0);
    }
}

TEST(kmem_alloc_is_zeroed_aligned_and_apart)
{
    static unsigned char *blocks[64];

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 64; i++) {
            size_t size = 1 + i * i * 5;

            blocks[i] = kmem_alloc(size);
            REQUIRE(blocks[i] != NULL);
            CHECK_EQ((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
            CHECK(all_bytes(blocks[i], size, 0));
            memset(blocks[i], (int)i + 1, size);
        }
        for (size_t i = 0; i < 64; i++)
            CHECK(all_bytes(blocks[i], 1 + i * i * 5, (unsigned char)(i + 1)));
        for (size_t i = 0; i < 64; i++)
            kmem_free(blocks[63 - i]);
    }
}

TEST(kmem_alloc_absurd_is_null)
{
    CHECK(kmem_alloc(SIZE_MAX) == NULL);
    CHECK(kmem_alloc(SIZE_MAX / 2) == NULL);
    kmem_free(NULL);
}

TEST(malloc_blocks_stay_apart)
{
    static unsigned char *blocks[200];

    for (size_t i = 0; i < 200; i++) {
        blocks[i] = malloc(1 + i * 37 % 5000);
        REQUIRE(blocks[i] != NULL);
        CHECK_EQ((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        memset(blocks[i], (int)i, 1 + i * 37 % 5000);
    }
    for (size_t i = 0; i < 200; i += 2)
        free(blocks[i]);
    for (size_t i = 0; i < 200; i += 2) {
        blocks[i] = malloc(1 + i * 37 % 5000);
        REQUIRE(blocks[i] != NULL);
        memset(blocks[i], (int)i, 1 + i * 37 % 5000);
    }
    for (size_t i = 0; i < 200; i++) {
        CHECK(all_bytes(blocks[i], 1 + i * 37 % 5000, (unsigned char)i));
        free(blocks[i]);
    }
}

TEST(realloc_keeps_content)
{
    unsigned char *block = NULL;

    for (size_t size = 1; size < 300000; size = size * 3) {
        unsigned char *larger = realloc(block, size);

        if (!CHECK(larger != NULL))
            break;
        CHECK(all_bytes(larger, size / 3, 0x5a));
        memset(larger, 0x5a, size);
        block = larger;
    }
    free(block);
}

TEST(malloc_absurd_is_enomem)
{
    volatile size_t absurd = PTRDIFF_MAX; /* gcc warns of a constant */

    void *block;

    errno = 0;
    block = malloc(absurd);
    CHECK(block == NULL);
    CHECK_EQ(errno, ENOMEM);
    free(block);
    errno = 0;
    block = calloc(absurd, 4);
    CHECK(block == NULL);
    CHECK_EQ(errno, ENOMEM);
    free(block);
}

TEST(sbrk_is_zeroed_and_bounded)
{
    unsigned char *start = sbrk(0), *more = sbrk(3 * PAGE_SIZE);

    REQUIRE(more != (void *)-1);
    CHECK(more == start);
    CHECK(all_bytes(more, 3 * PAGE_SIZE, 0));
    CHECK(sbrk(0) == more + 3 * PAGE_SIZE);
    errno = 0;
    CHECK(sbrk(PTRDIFF_MAX / 2) == (void *)-1);
    CHECK_EQ(errno, ENOMEM);
    CHECK(sbrk(0) == more + 3 * PAGE_SIZE);
    CHECK(sbrk(-3 * (ptrdiff_t)PAGE_SIZE) == more + 3 * PAGE_SIZE);
}

TEST(map_frames_shows_the_same_page)
{
    unsigned char *page = page_alloc_zeroed(), *alias = vspace_alloc(2);
    mfn_t frame;

    REQUIRE(page && alias);
    frame = virt_to_mfn(page);
    REQUIRE_EQ(map_frames(alias, &frame, 1, MAP_WRITE), 0);
    alias[5] = 7;
    CHECK_EQ(*(volatile unsigned char *)&page[5], 7);
    page[6] = 8;
    CHECK_EQ(*(volatile unsigned char *)&alias[6], 8);
    unmap_frames(alias, 1);
    vspace_free(alias, 2);
    pages_free(page, 0);
}

/* newlib's calloc() does not clear what it believes fresh from sbrk(). */
TEST(calloc_after_trim_is_zero)
{
    const size_t size = 1 << 20;

    for (int i = 0; i < 4; i++) {
        unsigned char *block = i % 2 ? calloc(1, size) : malloc(size);

        REQUIRE(block != NULL);
        if (i % 2)
            CHECK(all_bytes(block, size, 0));
        memset(block, 0xee, size);
        free(block); /* more than malloc keeps: the region shrinks */
    }
}

/* Xen writes 16 bytes to `where` with our rights: a probe that survives. */
static bool writable(void *where)
{
    return hypercall_xen_extraversion(where) == 0;
}

/* Never called, and long enough to be written over if it could be. */
__attribute__((used, noinline)) static void victim(void)
{
    asm volatile(".skip 64, 0x90");
}

static const char read_only[64] = "constant";
static char initialised[64] = "variable";
static char zeroed[64];
static int before_main;

__attribute__((constructor)) static void constructor(void)
{
    before_main = 1;
}

TEST(text_and_rodata_are_not_writable)
{
    static char *volatile constant = (char *)(uintptr_t)read_only;

    CHECK(!writable((void *)(uintptr_t)victim));
    CHECK(!writable(constant));
    CHECK_EQ(strcmp(constant, "constant"), 0);
    CHECK(writable(initialised));
    CHECK(writable(zeroed));
    CHECK_EQ(before_main, 1);
}

TEST(null_page_is_not_mapped)
{
    CHECK(!writable((void *)16));
    CHECK(!writable((void *)(PAGE_SIZE - 64)));
}

TEST(stack_guard_is_not_mapped)
{
    unsigned long bottom, top;
    char here[64];

    thread_stack_bounds(current_thread(), &bottom, &top);
    CHECK((unsigned long)here > bottom && (unsigned long)here < top);
    CHECK(writable(here));
    CHECK(!writable((void *)(bottom - 64)));
}

TEST(map_frames_read_only_is_not_writable)
{
    char *page = page_alloc_zeroed(), *alias = vspace_alloc(1);
    mfn_t frame;

    REQUIRE(page && alias);
    frame = virt_to_mfn(page);
    REQUIRE_EQ(map_frames(alias, &frame, 1, MAP_READ), 0);
    CHECK(!writable(alias));
    unmap_frames(alias, 1);
    CHECK(!writable(alias));
    vspace_free(alias, 1);
    pages_free(page, 0);
}

/* Every malloc until NULL; the blocks are then freed, and all of them can be had again. */
static size_t take_everything(size_t size)
{
    void **chain = NULL, **block;
    size_t count = 0;

    errno = 0;
    while ((block = malloc(size)) != NULL) {
        *block = chain;
        chain = block;
        count++;
    }
    CHECK_EQ(errno, ENOMEM);
    while (chain) {
        block = *chain;
        free(chain);
        chain = block;
    }
    return count;
}

TEST_LAST(malloc_exhausted_is_enomem_and_recovers)
{
    size_t size = 256 * 1024, pages = free_pages();
    size_t count = take_everything(size);

    /* Most of what was free came out of malloc. */
    CHECK(count * size / PAGE_SIZE > pages / 2 || pages < 512);
    CHECK(take_everything(size) + 1 >= count);
    CHECK(take_everything(1000) > count);
    CHECK(take_everything(100) > count);
}

TEST_LAST(kmem_exhausted_is_null_and_recovers)
{
    void **chain = NULL, **block;
    unsigned long before = free_pages();
    size_t count = 0;

    while ((block = kmem_alloc(PAGE_SIZE)) != NULL) {
        *block = chain;
        chain = block;
        count++;
    }
    CHECK(pages_alloc(1) == NULL);
    while (chain) {
        block = *chain;
        kmem_free(chain);
        chain = block;
    }
    CHECK(free_pages() >= before || before - free_pages() < 64); /* page tables stay */
    block = kmem_alloc(100);
    CHECK(block != NULL || count == 0);
    kmem_free(block);
}

/* Each beginning and length of what an implementation may do in steps. */
TEST(memory_set_to_a_byte)
{
    static volatile unsigned char bytes[128];
    int wrong = 0;

    for (size_t from = 0; from < 8; from++) {
        for (size_t len = 0; len < 100; len++) {
            for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = 0x11;
            wrong += memset((void *)(bytes + 8 + from), 0x1ee, len) != bytes + 8 + from;
            for (size_t i = 0; i < sizeof(bytes); i++)
                wrong += bytes[i] != (i >= 8 + from && i < 8 + from + len ? 0xee : 0x11);
        }
    }
    CHECK_EQ(wrong, 0);
}
