/* SPDX-License-Identifier: MIT
 *
 * malloc: memory that is out, a block freed twice, and one freed elsewhere.
 */
#include "tests/host/malloc_sandbox.h"

TEST(memory_out_takes_what_is_kept)
{
    static void *blocks[4000];
    void *large;

    on_vcpu(0);
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
        blocks[i] = guest_malloc(200);
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
        guest_free(blocks[i]);
    CHECK_GT(in_use, 0);
    heap_limit = 100 * 1024;
    large = guest_malloc(90 * 1024);
    CHECK(large != NULL);
    guest_free(large);
    for (size_t i = 0; i < 100; i++)
        guest_free(guest_malloc(i * 40));
    CHECK_GT(in_use, 10 * 1024);
    large = guest_calloc(9, 10 * 1024);
    CHECK(large != NULL);
    guest_free(large);
    for (size_t i = 0; i < 100; i++)
        guest_free(guest_malloc(i * 40));
    large = guest_realloc(guest_malloc(10), 95 * 1024);
    CHECK(large != NULL);
    CHECK(guest_malloc(20 * 1024) == NULL);
    guest_free(large);
    check_nothing_in_use();
}

TEST(no_memory_for_a_cache_does_without)
{
    on_vcpu(0);
    fake_alloc_fail_after(0);
    for (int i = 0; i < 10; i++)
        guest_free(guest_malloc(100));
    CHECK_EQ(in_use, 0);
    fake_alloc_fail_after(-1);
    guest_free(guest_malloc(100));
    CHECK_GT(in_use, 0);
    check_nothing_in_use();
}

TEST(second_free_is_refused)
{
    void *block, *others[3 * MAGAZINE_MAX];

    on_vcpu(0);
    block = guest_malloc(100);
    guest_free(block);
    CHECK_ENDS_DOMAIN(guest_free(block));
    upcalls_enable();
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        others[i] = guest_malloc(100);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) /* the first are in the depot then */
        guest_free(others[i]);
    CHECK_ENDS_DOMAIN(guest_free(others[0]));
    upcalls_enable();
    CHECK_ENDS_DOMAIN(guest_free(others[MAGAZINE_MAX]));
    upcalls_enable();
    check_nothing_in_use();
}

TEST(mark_left_by_chance_is_no_second_free)
{
    struct block *block;

    on_vcpu(0);
    for (int i = 0; i < 3; i++) {
        block = guest_malloc(100);
        block->kept = BLOCK_KEPT;
        guest_free(block);
    }
    check_nothing_in_use();
}

/* A producer and a consumer on two vCPUs, with a ring between them. */
#define RING  256
#define ITEMS 200000
static unsigned char *ring[RING];
static unsigned int produced, consumed;

static void *consume(void *unused)
{
    on_vcpu(1);
    for (unsigned int i = 0; i < ITEMS; i++) {
        while (load_acquire(&produced) == i)
            sched_yield();
        CHECK(ring[i % RING][0] == (unsigned char)i);
        guest_free(ring[i % RING]);
        store_release(&consumed, i + 1);
    }
    return unused;
}

TEST(what_another_vcpu_frees_comes_back)
{
    pthread_t consumer;

    on_vcpu(0);
    pthread_create(&consumer, NULL, consume, NULL);
    for (unsigned int i = 0; i < ITEMS; i++) {
        while (i - load_acquire(&consumed) == RING)
            sched_yield();
        ring[i % RING] = guest_malloc(16 + i % 300);
        ring[i % RING][0] = (unsigned char)i;
        store_release(&produced, i + 1);
    }
    pthread_join(consumer, NULL);
    CHECK_LT(newlib_calls, ITEMS / 20);
    CHECK_LT(most_in_use, 600 * 1024);
    check_nothing_in_use();
}

/* Each replaces blocks of a live set at random, and now and then leaves one to the others. */
#define SLOTS 500
static unsigned char *left[16];

static void *replace_at_random(void *arg)
{
    static _Thread_local unsigned char *live[SLOTS];
    static _Thread_local uint16_t len[SLOTS];
    unsigned int vcpu = (uintptr_t)arg;
    uint64_t random = vcpu;

    on_vcpu(vcpu);
    for (int i = 0; i < 100000; i++) {
        unsigned int slot;

        random = random * 6364136223846793005 + 1442695040888963407;
        slot = (random >> 33) % SLOTS;
        if (live[slot])
            CHECK(live[slot][0] == (unsigned char)slot && live[slot][len[slot] - 1] == vcpu);
        if (i % 8 == 0)
            live[slot] = atomic_exchange(&left[random >> 60], live[slot]);
        guest_free(live[slot]);
        len[slot] = 16 + (random >> 44) % (i % 16 ? 496 : 3000);
        live[slot] = guest_malloc(len[slot]);
        live[slot][len[slot] - 1] = vcpu;
        live[slot][0] = (unsigned char)slot;
    }
    for (unsigned int slot = 0; slot < SLOTS; slot++)
        guest_free(live[slot]);
    return NULL;
}

TEST(random_replacement_on_three_vcpus)
{
    pthread_t threads[ARRAY_SIZE(cpus)];

    for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_create(&threads[i], NULL, replace_at_random, (void *)i);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    CHECK_LT(newlib_locks, 3 * 100000 / 20);
    on_vcpu(0);
    for (size_t i = 0; i < ARRAY_SIZE(left); i++)
        guest_free(left[i]);
    check_nothing_in_use();
}
