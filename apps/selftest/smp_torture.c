/* SPDX-License-Identifier: MIT
 *
 * Torture for many vCPUs: threads that move, sleep, end and join at random, every kind of lock, the
 * allocators, and vCPUs that come and go under all that.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/atomic.h"
#include "lib/spinlock.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "smp.h"

#define HOTPLUGS     100
#define HOTPLUGS_FEW 20

static void wander(void *arg)
{
    uint32_t random = 1 + *(const uint32_t *)arg;
    double sum = 0, want = 0;

    for (int i = 1; i <= 300; i++) {
        unsigned int vcpu = smp_nth_online(smp_random(&random));
        struct vcpu_set only = { { 0 } };

        vcpu_set_add(&only, vcpu);
        errno = i;
        sum += sqrt(i);
        if (thread_set_affinity(current_thread(), &only) == 0 && random % 8)
            CHECK_EQ(thread_vcpu(current_thread()), vcpu);
        want += sqrt(i);
        CHECK_EQ(errno, i); /* its thread-local storage came along */
        if (random % 4 == 0)
            thread_yield();
    }
    CHECK(sum == want); /* so did the FPU's registers */
}

TEST(smp_threads_migrate_under_load)
{
    uint32_t seeds[12];

    REQUIRE_THREADS(12);
    for (unsigned int i = 0; i < ARRAY_SIZE(seeds); i++)
        seeds[i] = 77 * (i + 1);
    smp_run_everywhere(ARRAY_SIZE(seeds), wander, seeds, sizeof(seeds[0]));
}

struct locks {
    spinlock_t spin;
    struct mutex plain, recursive, inherit;
    struct semaphore slots;
    struct condition changed;
    unsigned int count[5], inside;
};

static void increment(unsigned int *count)
{
    unsigned int seen = load_once(count);

    compiler_barrier();
    store_once(count, seen + 1);
}

static void under_spinlock(struct locks *locks)
{
    bool enabled = spin_lock_save(&locks->spin);

    increment(&locks->count[0]);
    spin_unlock_restore(&locks->spin, enabled);
}

static void under_mutex(struct mutex *mutex, unsigned int *count, bool twice)
{
    mutex_lock(mutex);
    if (twice)
        mutex_lock(mutex);
    increment(count);
    if (twice)
        mutex_unlock(mutex);
    mutex_unlock(mutex);
}

static void lock_all_kinds(void *arg)
{
    struct locks *locks = arg;

    for (int i = 0; i < 2000; i++) {
        under_spinlock(locks);
        under_mutex(&locks->plain, &locks->count[1], false);
        under_mutex(&locks->recursive, &locks->count[2], i & 1);
        under_mutex(&locks->inherit, &locks->count[3], false);
        if (i % 16 == 0 && mutex_lock_until(&locks->plain, time_after_ns(NS_PER_MS)) == 0)
            mutex_unlock(&locks->plain);
        CHECK_EQ(semaphore_wait(&locks->slots, time_after_ns(TEST_PATIENCE_NS)), 0);
        CHECK(atomic_fetch_add(&locks->inside, 1) < 3);
        (void)atomic_fetch_sub(&locks->inside, 1);
        semaphore_post(&locks->slots);
        mutex_lock(&locks->plain);
        increment(&locks->count[4]);
        condition_broadcast(&locks->changed);
        if (i % 8 == 0)
            condition_wait(&locks->changed, &locks->plain, time_after_ns(NS_PER_MS));
        mutex_unlock(&locks->plain);
    }
}

TEST(smp_locks_of_every_kind)
{
    struct locks locks = { .spin = SPINLOCK_INIT };

    REQUIRE_THREADS(8);
    mutex_init(&locks.plain, false);
    mutex_init(&locks.recursive, true);
    mutex_init_inherit(&locks.inherit, false);
    semaphore_init(&locks.slots, 3);
    condition_init(&locks.changed);
    smp_run_everywhere(8, lock_all_kinds, &locks, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(locks.count); i++)
        CHECK_EQ(locks.count[i], 8 * 2000);
}

static void *get_page(size_t size)
{
    return size <= PAGE_SIZE ? pages_alloc(0) : NULL;
}

static void put_page(void *page)
{
    pages_free(page, 0);
}

static const struct {
    void *(*get)(size_t size);
    void (*put)(void *memory);
} allocators[] = { { malloc, free }, { kmem_alloc, kmem_free }, { get_page, put_page } };

static void allocate(void *arg)
{
    uint32_t random = 1 + *(const uint32_t *)arg;
    struct {
        unsigned char *memory;
        size_t size;
        unsigned char mark;
    } slots[32] = { { NULL, 0, 0 } };

    for (unsigned int i = 0; i < 5000 + ARRAY_SIZE(slots); i++) {
        uint32_t r = smp_random(&random);
        unsigned int n = i < 5000 ? r % ARRAY_SIZE(slots) : i - 5000; /* at last, each once more */
        unsigned int kind = n % ARRAY_SIZE(allocators);

        for (size_t at = 0; slots[n].memory && at < slots[n].size; at += 61)
            CHECK_EQ(slots[n].memory[at], slots[n].mark);
        allocators[kind].put(slots[n].memory);
        slots[n].memory = NULL;
        if (i >= 5000)
            continue;
        slots[n].size = 1 + (r >> 8) % 700;
        slots[n].mark = (unsigned char)(r >> 24);
        slots[n].memory = allocators[kind].get(slots[n].size);
        if (slots[n].memory)
            memset(slots[n].memory, slots[n].mark, slots[n].size);
    }
}

TEST(smp_allocators)
{
    uint32_t seeds[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

    REQUIRE_THREADS(8);
    smp_run_everywhere(ARRAY_SIZE(seeds), allocate, seeds, sizeof(seeds[0]));
}

struct brood {
    uint32_t seed;
    unsigned int depth, *born;
};

/* Lives for a moment, anywhere, at any priority; has children, and joins or detaches them. */
static void live(void *arg)
{
    struct brood *self = arg;
    uint32_t random = self->seed;
    struct brood children[3];
    struct thread *threads[3];

    (void)atomic_fetch_add(self->born, 1);
    for (unsigned int i = 0; i < 3 && self->depth; i++) {
        struct thread_options options = { .name = "torture" };

        children[i] = (struct brood){ smp_random(&random) | 1, self->depth - 1, self->born };
        options.priority = random % 4 ? PRIORITY_NORMAL : PRIORITY_REALTIME + random % 32;
        while (thread_create_with(&threads[i], &options, live, &children[i]))
            test_sleep_ms(1); /* memory is out for a moment */
        if (random % 3 == 0)
            thread_yield();
    }
    thread_sleep_until(time_after_ns(smp_random(&random) % 500 * NS_PER_US));
    if (random % 2)
        thread_set_priority(current_thread(), PRIORITY_LOW, false);
    for (unsigned int i = 0; i < 3 && self->depth; i++)
        CHECK_EQ(thread_join(threads[i], time_after_ns(2 * TEST_PATIENCE_NS)), 0);
}

TEST(smp_scheduler_torture)
{
    unsigned int born = 0;

    REQUIRE_THREADS(40);
    for (uint32_t round = 1; round <= 40; round++) {
        struct brood first = { round * 2654435761u | 1, 3, &born };

        live(&first);
        thread_set_priority(current_thread(), PRIORITY_NORMAL, false);
    }
    CHECK_EQ(born, 40 * (1 + 3 + 9 + 27));
}

static void count_up(void *arg)
{
    (void)atomic_fetch_add((unsigned int *)arg, 1);
}

static bool hotplug_over;
static unsigned int hotplug_turns[8];

static void work_on(void *arg)
{
    unsigned int *turns = arg;
    uint32_t random = (uint32_t)(uintptr_t)arg | 1;

    while (!load_once(&hotplug_over)) {
        struct vcpu_set only = { { 0 } };

        for (int i = 0; i < 1000; i++)
            smp_random(&random);
        if (random % 4 == 0)
            thread_sleep_until(time_after_ns(random % 200 * NS_PER_US));
        if (random % 16 == 0) {
            vcpu_set_add(&only, random % 8); /* perhaps it is not there, or leaves */
            thread_set_affinity(current_thread(), &only);
        }
        store_once(turns, *turns + 1);
    }
}

/* vCPUs go and come a hundred times; nothing that was on them is lost. */
TEST(smp_hotplug_under_load)
{
    struct thread *threads[ARRAY_SIZE(hotplug_turns)];
    unsigned int before[ARRAY_SIZE(hotplug_turns)], vcpus = vcpu_set_count(&vcpus_online);
    unsigned int hotplugs = smp_is_emulated() ? HOTPLUGS_FEW : HOTPLUGS;

    REQUIRE_VCPUS(2);
    REQUIRE_THREADS(ARRAY_SIZE(threads));
    test_sleep_ms(200); /* at boot vCPUs are compared with what xenstore says, and put right */
    for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
        REQUIRE_EQ(xenolith_thread(&threads[i], "work", work_on, &hotplug_turns[i]), 0);
    thread_set_priority(current_thread(), PRIORITY_HIGH, false); /* or it waits for slices to end */
    for (unsigned int i = 0; i < hotplugs; i++) {
        unsigned int vcpu = 1 + i % (vcpus - 1), calls = 0;

        memcpy(before, hotplug_turns, sizeof(before));
        CHECK_EQ(smp_vcpu_down(vcpu), 0);
        CHECK_EQ(smp_call(vcpu, count_up, &calls, true), -XEN_ENODEV);
        CHECK_EQ(smp_vcpu_down(vcpu), 0); /* it is down */
        for (unsigned int n = 0; n < ARRAY_SIZE(threads); n++)
            CHECK(test_await(&hotplug_turns[n], before[n] + 1) > before[n]);
        CHECK_EQ(smp_vcpu_up(vcpu), 0);
        CHECK_EQ(smp_call(vcpu, count_up, &calls, true), 0);
        CHECK_EQ(calls, 1);
    }
    thread_set_priority(current_thread(), PRIORITY_NORMAL, false);
    store_once(&hotplug_over, true);
    for (unsigned int i = 0; i < ARRAY_SIZE(threads); i++)
        CHECK_EQ(thread_join(threads[i], time_after_ns(TEST_PATIENCE_NS)), 0);
    CHECK_EQ(vcpu_set_count(&vcpus_online), vcpus);
    CHECK_EQ(smp_vcpu_down(0), -XEN_EINVAL);
}
