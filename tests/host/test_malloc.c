/* SPDX-License-Identifier: MIT
 *
 * The caches in front of newlib's malloc: libc/malloc*.c themselves.  newlib is played here with
 * blocks of the same layout, each a block of the sanitizer's heap, so that an overflow, a use after
 * free and a leak are seen; one that was split in pieces is given back when all of them are.
 * pthreads play threads on vCPUs of their own.
 */
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include "tests/host/test.h"

#include <reent.h>

#define malloc  guest_malloc
#define free    guest_free
#define calloc  guest_calloc
#define realloc guest_realloc
#include "libc/malloc.c"
#include "libc/malloc_depot.c"
#include "libc/malloc_newlib.c"
#undef malloc
#undef free
#undef calloc
#undef realloc

#define HEADER 16

struct region {
    char *start, *end;
    size_t left; /* bytes that are in use */
};
static void *regions; /* a tree; held: newlib_lock */

static int region_compare(const void *a, const void *b)
{
    const struct region *left = a, *right = b;

    return left->end <= right->start ? -1 : left->start >= right->end;
}

static void region_add(char *start, size_t len)
{
    struct region *region = malloc(sizeof(*region));

    *region = (struct region){ start, start + len, len };
    CHECK(*(struct region **)tsearch(region, &regions, region_compare) == region);
}

/* Of the region that the block is in so much is free now. */
static void region_free(char *block, size_t len)
{
    struct region key = { block, block + len, 0 }, **found, *region;

    found = tfind(&key, &regions, region_compare);
    CHECK(found != NULL);
    region = *found;
    CHECK(block >= region->start && block + len <= region->end && len <= region->left);
    region->left -= len;
    if (region->left)
        return;
    tdelete(region, &regions, region_compare);
    free(region->start - HEADER);
    free(region);
}

static pthread_mutex_t newlib_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t in_use, most_in_use; /* bytes, as newlib sees it; held: newlib_lock */
static size_t heap_limit = SIZE_MAX;
static unsigned int newlib_calls; /* held: newlib_lock */
static unsigned int newlib_locks;
static _Thread_local unsigned int lock_depth;
static volatile size_t absurd = SIZE_MAX; /* gcc warns of a constant */
static struct percpu cpus[3];

void __malloc_lock(struct _reent *reent)
{
    (void)reent;
    CHECK(upcalls_enabled());
    if (lock_depth++ == 0) {
        pthread_mutex_lock(&newlib_lock);
        newlib_locks++;
    }
}

void __malloc_unlock(struct _reent *reent)
{
    (void)reent;
    if (--lock_depth == 0)
        pthread_mutex_unlock(&newlib_lock);
}

void *_malloc_r(struct _reent *reent, size_t size)
{
    size_t len = MAX(ROUND_UP(size + OVERHEAD, STEP), STEPS_MIN * STEP);
    size_t *head = NULL;

    __malloc_lock(reent);
    newlib_calls++;
    if (size < SIZE_MAX / 2 && in_use + len <= heap_limit && (head = malloc(HEADER + len))) {
        in_use += len;
        most_in_use = MAX(most_in_use, in_use);
        head[1] = len | 1; /* newlib's bit: the block before is in use */
        memset(head + 2, 0xa5, len - OVERHEAD);
        region_add((char *)(head + 2), len);
    }
    __malloc_unlock(reent);
    return head ? head + 2 : NULL;
}

void _free_r(struct _reent *reent, void *ptr)
{
    size_t *head = ptr;

    __malloc_lock(reent);
    newlib_calls++;
    in_use -= head[-1] & ~(size_t)15;
    CHECK_EQ(head[-1] & 15, PREV_INUSE);
    region_free(ptr, head[-1] & ~(size_t)15);
    __malloc_unlock(reent);
}

void *_calloc_r(struct _reent *reent, size_t count, size_t size)
{
    size_t len;
    void *block = __builtin_mul_overflow(count, size, &len) ? NULL : _malloc_r(reent, len);

    return block ? memset(block, 0, len) : NULL;
}

void *_realloc_r(struct _reent *reent, void *ptr, size_t size)
{
    void *block = _malloc_r(reent, size);

    if (!block)
        return NULL;
    memcpy(block, ptr, MIN(size, block_steps(ptr) * STEP - OVERHEAD));
    _free_r(reent, ptr);
    return block;
}

size_t heap_size(void)
{
    return most_in_use;
}

/* The calling pthread is a thread on a vCPU of its own from now on. */
static void on_vcpu(unsigned int vcpu)
{
    cpus[vcpu].self = &cpus[vcpu];
    cpus[vcpu].vcpu = vcpu;
    fake_percpu = &cpus[vcpu];
    upcalls_enable();
}

/* As kernel/smp.c does it, while nobody else runs. */
unsigned int smp_call_all(void (*fn)(void *arg), void *arg, bool wait)
{
    struct percpu *self = fake_percpu;

    CHECK(wait);
    for (unsigned int vcpu = 0; vcpu < ARRAY_SIZE(cpus); vcpu++) {
        on_vcpu(vcpu);
        upcalls_disable();
        fn(arg);
        upcalls_enable();
    }
    fake_percpu = self;
    return ARRAY_SIZE(cpus);
}

/* Nothing is lost: with all that is kept given back, newlib has nothing in use. */
static void check_nothing_in_use(void)
{
    libc_malloc_gather();
    for (unsigned int vcpu = 0; vcpu < ARRAY_SIZE(cpus); vcpu++) {
        kmem_free(cpus[vcpu].malloc_cache);
        cpus[vcpu].malloc_cache = NULL;
    }
    CHECK_EQ(in_use, 0);
    CHECK_EQ(depot_bytes, 0);
}

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
