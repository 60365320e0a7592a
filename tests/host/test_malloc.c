/* SPDX-License-Identifier: MIT
 *
 * malloc: what a block is, and where one comes from.
 */
#include "tests/host/malloc_sandbox.h"

TEST(classes_hold_what_they_are_for)
{
    unsigned int last = 0;

    for (size_t size = 0; size <= SIZE_MAX_KEPT; size++) {
        unsigned int class = class_for(size);
        size_t steps = class_steps(class);

        CHECK(class < CLASSES && class >= STEPS_MIN && class >= last && class <= last + STEPS_MIN);
        CHECK_GE(steps * STEP, size + OVERHEAD);
        CHECK(size < 32 ||
              steps * STEP <= (size + OVERHEAD) * 9 / 8 + STEP); /* an eighth is lost */
        CHECK_EQ(class_within(steps), class);
        CHECK(steps == STEPS_MAX || class_within(steps + 1) - class <= 1);
        last = class;
    }
    CHECK_EQ(class_for(SIZE_MAX_KEPT), CLASSES - 1);
    CHECK_EQ(class_steps(CLASSES - 1), STEPS_MAX);
    for (size_t steps = STEPS_MIN; steps <= STEPS_MAX; steps++)
        CHECK_LE(class_steps(class_within(steps)), steps);
}

TEST(blocks_are_apart_and_come_again)
{
    static char *blocks[3000];

    on_vcpu(0);
    for (int turn = 0; turn < 3; turn++) {
        unsigned int calls = newlib_calls;

        for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
            blocks[i] = guest_malloc(i * 2);
            CHECK_EQ((uintptr_t)blocks[i] % 16, 0);
            memset(blocks[i], (int)i, i * 2);
        }
        for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
            CHECK(i == 0 || (blocks[i][0] == (char)i && blocks[i][i * 2 - 1] == (char)i));
            guest_free(blocks[i]);
        }
        CHECK(turn == 0 || newlib_calls - calls < 2 * ARRAY_SIZE(blocks) - 64);
    }
    check_nothing_in_use();
}

TEST(pair_needs_newlib_once)
{
    on_vcpu(0);
    for (size_t size = 0; size <= SIZE_MAX_KEPT; size += 13) {
        unsigned int calls;

        guest_free(guest_malloc(size));
        calls = newlib_calls;
        for (int i = 0; i < 100; i++)
            guest_free(guest_malloc(size));
        CHECK_EQ(newlib_calls, calls);
    }
    check_nothing_in_use();
}

static bool is_among(void *const *blocks, size_t count, const void *block)
{
    while (count && blocks[count - 1] != block)
        count--;
    return count > 0;
}

TEST(blocks_stay_with_their_vcpu)
{
    static void *blocks[2][300], *again[300];
    unsigned int calls;

    for (size_t i = 0; i < ARRAY_SIZE(again); i++) {
        for (unsigned int vcpu = 0; vcpu < 2; vcpu++) {
            on_vcpu(vcpu);
            blocks[vcpu][i] = guest_malloc(10 + i % 10 * 10);
        }
    }
    for (unsigned int vcpu = 0; vcpu < 2; vcpu++) {
        on_vcpu(vcpu);
        for (size_t i = 0; i < ARRAY_SIZE(again); i++)
            guest_free(blocks[vcpu][i]);
    }
    calls = newlib_calls;
    on_vcpu(0);
    for (size_t i = 0; i < ARRAY_SIZE(again); i++) {
        again[i] = guest_malloc(10 + i % 10 * 10);
        CHECK(is_among(blocks[0], ARRAY_SIZE(again), again[i]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(again); i++)
        guest_free(again[i]);
    CHECK_EQ(newlib_calls, calls);
    check_nothing_in_use();
}

TEST(magazine_lies_together)
{
    unsigned int class = class_for(100), calls = newlib_calls, count = 0;
    struct block *magazine, *last = NULL;

    on_vcpu(0);
    magazine = newlib_magazine(class, 16);
    for (struct block *block = magazine; block; block = block->next) {
        CHECK_EQ(block_steps(block), class_steps(class));
        CHECK(!last || (char *)last - (char *)block == (long)(class_steps(class) * STEP));
        last = block;
        count++;
    }
    CHECK_EQ(count, 16);
    CHECK_EQ(newlib_calls, calls + 1);
    newlib_free(magazine);
    CHECK_EQ(in_use, 0);
}

TEST(large_blocks_are_not_kept)
{
    on_vcpu(0);
    guest_free(guest_malloc(100000));
    CHECK_EQ(in_use, 0);
    guest_free(guest_malloc(SIZE_MAX_KEPT + 1));
    CHECK_EQ(in_use, 0);
    CHECK(guest_malloc(absurd) == NULL);
    CHECK(guest_malloc(absurd / 2) == NULL);
    guest_free(NULL);
    check_nothing_in_use();
}

TEST(calloc_is_zero_and_checks_overflow)
{
    on_vcpu(0);
    for (size_t size = 1; size < 10000; size = size * 3 / 2 + 1) {
        char *dirty = guest_malloc(size), *block;

        memset(dirty, 0xff, size);
        guest_free(dirty);
        block = guest_calloc(1, size);
        for (size_t i = 0; i < size; i++)
            CHECK_EQ(block[i], 0);
        guest_free(block);
    }
    CHECK(guest_calloc(absurd / 2, 3) == NULL);
    CHECK(guest_calloc(absurd, absurd) == NULL);
    check_nothing_in_use();
}

TEST(realloc_keeps_content)
{
    unsigned char *block = NULL;
    size_t was = 0;
    uint64_t random = 1;

    on_vcpu(0);
    for (int i = 0; i < 20000; i++) {
        size_t size;

        random = random * 6364136223846793005 + 1442695040888963407;
        size = 1 + (random >> 40) % (random & 1 << 20 ? 9000 : 200);
        block = guest_realloc(block, size);
        for (size_t j = 0; j < MIN(was, size); j++) {
            if (block[j] != (unsigned char)(j * 7)) {
                CHECK_EQ(block[j], (unsigned char)(j * 7));
                break;
            }
        }
        for (size_t j = was; j < size; j++)
            block[j] = (unsigned char)(j * 7);
        was = size;
    }
    guest_free(block);
    check_nothing_in_use();
}

TEST(realloc_to_little_gives_memory_back)
{
    char *block;

    on_vcpu(0);
    block = guest_realloc(guest_malloc(4000), 100);
    CHECK_LT(block_steps(block) * STEP, 300);
    guest_free(block);
    check_nothing_in_use();
}

TEST(what_is_kept_is_bounded)
{
    static void *blocks[20000];
    size_t kept_most = 2 * CLASSES * 2 * MAGAZINE_MAX * 512; /* generous */

    on_vcpu(0);
    for (size_t size = 1; size < 4000; size = size * 2) {
        for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
            blocks[i] = guest_malloc(size);
        for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
            guest_free(blocks[i]);
        CHECK_LE(depot_bytes, MAX(DEPOT_BYTES_MIN, most_in_use >> DEPOT_HEAP_SHIFT));
        CHECK_LE(in_use, depot_bytes + kept_most);
    }
    CHECK_GT(depot_bytes, DEPOT_BYTES_MIN / 2); /* it was put to use */
    check_nothing_in_use();
}
