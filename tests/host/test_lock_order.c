/* SPDX-License-Identifier: MIT
 *
 * What `make DEBUG=1` finds: locks in the wrong order, and sleeping where nobody may.  The kernel's
 * sources are compiled here as that build has them.
 */
#define DEBUG
#include "tests/host/sim.h"
#include "lib/lock_order.c"

static spinlock_t pages = SPINLOCK_INIT_RANK(LOCK_PAGES), heap = SPINLOCK_INIT_RANK(LOCK_HEAP);
static spinlock_t other_heap = SPINLOCK_INIT_RANK(LOCK_HEAP);
static spinlock_t leaf = SPINLOCK_INIT, other_leaf = SPINLOCK_INIT;

/* Of the size that this file knows. */
static void play_vcpu(void)
{
    static struct percpu cpu = { .self = &cpu };

    fake_percpu = &cpu;
}

TEST(right_order_is_silent)
{
    bool enabled;

    play_vcpu();
    enabled = spin_lock_save(&heap);
    spin_lock(&pages);
    spin_lock(&leaf);
    spin_unlock(&heap); /* not the last one taken: that is allowed */
    spin_unlock(&leaf);
    spin_lock(&other_leaf);
    spin_unlock(&other_leaf);
    spin_unlock(&pages);
    spin_lock(&heap);
    spin_lock_second(&other_heap);
    spin_unlock(&other_heap);
    spin_unlock_restore(&heap, enabled);
    CHECK_EQ(this_percpu()->locks.count, 0);
}

TEST(wrong_order_panics)
{
    play_vcpu();
    spin_lock_save(&pages);
    CHECK_ENDS_DOMAIN(spin_lock(&heap));
}

TEST(two_of_one_rank_panic)
{
    play_vcpu();
    spin_lock_save(&heap);
    CHECK_ENDS_DOMAIN(spin_lock(&other_heap));
}

TEST(leaf_inside_of_leaf_panics)
{
    play_vcpu();
    spin_lock_save(&leaf);
    CHECK_ENDS_DOMAIN(spin_lock(&other_leaf));
}

TEST(lock_taken_twice_panics)
{
    play_vcpu();
    spin_lock_save(&leaf);
    CHECK_ENDS_DOMAIN(spin_lock(&leaf));
}

TEST(unlock_of_free_lock_panics)
{
    play_vcpu();
    upcalls_disable();
    CHECK_ENDS_DOMAIN(spin_unlock(&leaf));
}

TEST(lock_with_upcalls_open_panics)
{
    play_vcpu();
    upcalls_enable();
    CHECK_ENDS_DOMAIN(spin_lock(&leaf));
}

TEST(both_names_are_told)
{
    char text[64];

    CHECK(strstr(name(text, sizeof(text), &heap), "heap lock ") == text);
    CHECK(strstr(name(text, sizeof(text), &leaf), "leaf lock ") == text);
    for (unsigned int rank = 0; rank < LOCK_RANKS; rank++)
        CHECK(ranks[rank] != NULL);
}

static struct mutex mutex = MUTEX_INIT(mutex);
static struct semaphore sem = SEMAPHORE_INIT(sem, 1);

/* Though the mutex is free, and nobody would sleep this time. */
static void body_mutex_under_lock(void)
{
    spin_lock_save(&leaf);
    CHECK_ENDS_DOMAIN(mutex_lock(&mutex));
}

static void body_mutex_masked(void)
{
    upcalls_disable();
    CHECK_ENDS_DOMAIN(mutex_lock(&mutex));
}

static void body_semaphore_without_preemption(void)
{
    preempt_disable();
    CHECK_ENDS_DOMAIN(semaphore_wait(&sem, TIME_NEVER));
}

static void body_sleep_under_lock(void)
{
    struct waitq q = WAITQ_INIT(q);

    waitq_lock(&q);
    spin_lock(&leaf);
    CHECK_ENDS_DOMAIN(waitq_sleep(&q, TIME_NEVER));
}

static void in_upcall(unsigned int vcpu)
{
    (void)vcpu;
    CHECK_ENDS_DOMAIN(mutex_lock(&mutex));
    sim.device = NULL;
}

static void body_mutex_in_upcall(void)
{
    sim.device = in_upcall;
    sim.device_rate = 10;
    while (sim.device)
        sim_point();
}

TEST(mutex_under_lock_panics)
{
    sim_run(1, 1, body_mutex_under_lock);
}

TEST(mutex_masked_panics)
{
    sim_run(1, 1, body_mutex_masked);
}

TEST(semaphore_without_preemption_panics)
{
    sim_run(1, 1, body_semaphore_without_preemption);
}

TEST(sleep_under_lock_panics)
{
    sim_run(1, 1, body_sleep_under_lock);
}

TEST(mutex_in_upcall_panics)
{
    sim_run(1, 1, body_mutex_in_upcall);
}

/* The scheduler itself keeps the order, in all that it does. */
static void live(void *arg)
{
    struct mutex *inherits = arg;

    for (unsigned int i = 0; i < 20; i++) {
        mutex_lock_until(inherits, TIME_NEVER);
        sim_work(sim_random(20));
        if (sim_random(3) == 0)
            thread_set_priority(current_thread(), sim_random(PRIORITY_IDLE), false);
        mutex_unlock(inherits);
        if (thread_sleep_interruptible(time_after_ns(sim_random(20 * NS_PER_US))))
            thread_interrupt_clear();
    }
}

static void body_all(void)
{
    struct thread *all[6];
    struct mutex inherits;

    mutex_init_inherit(&inherits, false);
    sim_await_vcpus();
    for (unsigned int i = 0; i < 6; i++)
        all[i] = sim_start(PRIORITY_NORMAL, live, &inherits);
    for (unsigned int i = 0; i < 10; i++) {
        struct vcpu_set set = { { 1 + sim_random((1UL << sim.vcpus) - 1) } };

        thread_interrupt(all[sim_random(6)]);
        thread_set_affinity(all[sim_random(6)], &set);
        thread_sleep_until(time_after_ns(sim_random(50 * NS_PER_US)));
    }
    if (sim.vcpus > 1) {
        sim_vcpu_down(1);
        sim_vcpu_up(1);
    }
    for (unsigned int i = 0; i < 6; i++)
        sim_join(all[i]);
}

TEST(scheduler_keeps_the_order)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        if (!sim_run(seed, 1 + seed % 5, body_all))
            return;
    }
}
