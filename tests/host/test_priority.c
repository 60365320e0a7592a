/* SPDX-License-Identifier: MIT
 *
 * Priorities that change, and that are inherited through mutexes.
 */
#include "tests/host/sim.h"

static char order[64];
static bool stop;
static unsigned int counter;
static struct semaphore go;

static void note(const char *name)
{
    strncat(order, name, 1);
}

static void note_once(void *name)
{
    note(name);
}

static void compute(void *arg)
{
    while (!stop) {
        sim_point();
        ++*(unsigned int *)arg;
    }
}

static struct thread *start_fifo(unsigned int priority, void (*fn)(void *), void *arg)
{
    struct thread_options options = { .name = "fifo", .priority = priority, .fifo = true };
    struct thread *thread;

    if (thread_create_with(&thread, &options, fn, arg))
        sim_fail("a thread is not created");
    return thread;
}

/* --- changes
 * --------------------------------------------------------------------------------------- */

static void body_order(void)
{
    struct thread *a = sim_start(PRIORITY_NORMAL, note_once, "a"), *b, *c;
    bool fifo = true;

    order[0] = 0;
    b = sim_start(PRIORITY_NORMAL, note_once, "b");
    c = sim_start(PRIORITY_LOW, note_once, "c");
    CHECK_EQ(thread_priority(c, &fifo), PRIORITY_LOW);
    CHECK(!fifo);
    thread_set_priority(a, PRIORITY_NORMAL, false); /* behind its equals */
    thread_set_priority(c, PRIORITY_HIGH, false);   /* runs before this returns */
    CHECK_STR(order, "c");
    thread_set_priority(current_thread(), PRIORITY_LOW, true); /* all others do */
    CHECK_STR(order, "cba");
    CHECK_EQ(thread_priority(current_thread(), &fifo), PRIORITY_LOW);
    CHECK(fifo);
    sim_join(a);
    sim_join(b);
    sim_join(c);
}

TEST(priority_change_takes_effect_at_once)
{
    sim.step_ns = 10;
    for (uint64_t seed = 0; seed < 50; seed++)
        sim_run(seed, 1, body_order);
}

/* A thread on another vCPU is made worse than one that waits there. */
static unsigned int waited;

static void mark(void *arg)
{
    store_once(&waited, *(unsigned int *)arg);
}

static void body_remote(void)
{
    struct vcpu_set one = { { 2 } }, mine = { { 1 } };
    struct thread_options options = {
        .name = "busy", .priority = PRIORITY_REALTIME + 4, .fifo = true, .affinity = &one
    };
    unsigned int two = 2, points = 0;
    struct thread *busy, *other;

    sim_await_vcpus();
    CHECK_EQ(thread_set_affinity(current_thread(), &mine), 0);
    stop = false;
    waited = 0;
    thread_create_with(&busy, &options, compute, &counter);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    options.priority = PRIORITY_REALTIME + 5;
    thread_create_with(&other, &options, mark, &two);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    CHECK_EQ(waited, 0);
    if (sim_random(2))
        thread_set_priority(busy, PRIORITY_REALTIME + 6, true);
    else
        thread_set_priority(other, PRIORITY_REALTIME + 3, true);
    while (!load_once(&waited) && ++points < 2000)
        sim_point();
    CHECK_EQ(waited, 2);
    stop = true;
    sim_join(busy);
    sim_join(other);
}

TEST(priority_change_reaches_other_vcpus)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        if (!sim_run(seed, 2, body_remote))
            return;
    }
}

static unsigned int share[3];

static void body_fifo(void)
{
    struct thread *all[3];

    stop = false;
    memset(share, 0, sizeof(share));
    thread_set_priority(current_thread(), PRIORITY_HIGH, false);
    for (unsigned int i = 0; i < 3; i++)
        all[i] = start_fifo(PRIORITY_REALTIME, compute, &share[i]);
    thread_sleep_until(time_after_ns(200 * NS_PER_MS));
    CHECK_GT(share[0], 0);
    CHECK_EQ(share[1] + share[2], 0);
    for (unsigned int i = 0; i < 3; i++) /* now they take turns */
        thread_set_priority(all[i], PRIORITY_REALTIME, false);
    thread_sleep_until(time_after_ns(200 * NS_PER_MS));
    for (unsigned int i = 0; i < 3; i++)
        CHECK_GT(share[i], 0);
    stop = true;
    for (unsigned int i = 0; i < 3; i++)
        sim_join(all[i]);
}

TEST(fifo_has_no_slice)
{
    sim.step_ns = 5 * NS_PER_US;
    for (uint64_t seed = 0; seed < 20; seed++)
        sim_run(seed, 1, body_fifo);
}

/* --- inheritance
 * ----------------------------------------------------------------------------------- */

static struct mutex outer, inner;
static uint64_t took_ns;

static void hold(void *arg)
{
    struct mutex *mutex = arg;

    mutex_lock(mutex);
    semaphore_wait(&go, TIME_NEVER);
    sim_work(200);
    mutex_unlock(mutex);
    sim_work(1000);
}

/* Holds the outer one, waits for the inner one. */
static void hold_chain(void *arg)
{
    (void)arg;
    mutex_lock(&outer);
    mutex_lock(&inner);
    mutex_unlock(&inner);
    mutex_unlock(&outer);
}

static void want(void *arg)
{
    uint64_t start_ns = time_now_ns();

    mutex_lock(arg);
    took_ns = time_now_ns() - start_ns;
    mutex_unlock(arg);
    counter = 1;
}

/* A realtime thread wants what a low one holds, while a middling one computes for ever. */
static void inversion(bool chain)
{
    struct thread *low, *link = NULL, *middle, *high;
    uint64_t until_ns;

    mutex_init_inherit(&inner, false);
    mutex_init_inherit(&outer, sim_random(2));
    semaphore_init(&go, 0);
    stop = false;
    counter = 0;
    thread_set_priority(current_thread(), PRIORITY_HIGH, false);
    low = sim_start(PRIORITY_LOW, hold, &inner);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    if (chain)
        link = sim_start(PRIORITY_IDLE, hold_chain, NULL);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    middle = sim_start(PRIORITY_NORMAL, compute, &share[0]);
    high = sim_start(PRIORITY_REALTIME, want, chain ? &outer : &inner);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    CHECK_EQ(low->priority, PRIORITY_REALTIME);
    CHECK_EQ(thread_priority(low, NULL), PRIORITY_LOW);
    CHECK(!chain || link->priority == PRIORITY_REALTIME);
    semaphore_post(&go);
    until_ns = time_after_ns(20 * NS_PER_MS);
    while (!load_once(&counter) && time_now_ns() < until_ns)
        thread_sleep_until(time_after_ns(100 * NS_PER_US));
    CHECK_EQ(counter, 1);
    CHECK_EQ(low->priority, PRIORITY_LOW); /* and no longer than it had to */
    CHECK(!chain || link->priority == PRIORITY_IDLE);
    stop = true;
    sim_join(low);
    if (chain)
        sim_join(link);
    sim_join(middle);
    sim_join(high);
}

static void body_inversion(void)
{
    inversion(false);
}

static void body_chain(void)
{
    inversion(true);
}

TEST(owner_inherits_priority)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        sim_run(seed, 1, body_inversion);
}

TEST(inheritance_is_transitive)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        sim_run(seed, 1, body_chain);
}

static void give_up(void *arg)
{
    CHECK_EQ(mutex_lock_until(arg, time_after_ns(2 * NS_PER_MS)), -XEN_ETIMEDOUT);
}

static void body_timeout(void)
{
    struct thread *low, *high;

    mutex_init_inherit(&inner, false);
    semaphore_init(&go, 0);
    thread_set_priority(current_thread(), PRIORITY_HIGH, false);
    low = sim_start(PRIORITY_LOW, hold, &inner);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    high = sim_start(PRIORITY_REALTIME + 7, give_up, &inner);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    CHECK_EQ(low->priority, PRIORITY_REALTIME + 7);
    thread_set_priority(high, PRIORITY_REALTIME + 2, false); /* while it waits */
    CHECK_EQ(low->priority, PRIORITY_REALTIME + 2);
    sim_join(high);
    CHECK_EQ(low->priority, PRIORITY_LOW);
    CHECK(list_empty(&low->holds));
    semaphore_post(&go);
    sim_join(low);
}

TEST(inheritance_ends_with_the_wait)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        sim_run(seed, 1, body_timeout);
}

/* All of it at once: nested mutexes, timed waits, priorities that change. */
static struct mutex many[3];
static struct thread *all[8];

static void torture(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 15; i++) {
        unsigned int first = sim_random(3);
        bool enabled, both = first < 2 && sim_random(2);

        if (sim_random(3) == 0) {
            if (mutex_lock_until(&many[first], time_after_ns(sim_random(20 * NS_PER_US))))
                continue;
        } else if (sim_random(3) == 0) {
            if (mutex_trylock(&many[first]))
                continue;
        } else {
            mutex_lock(&many[first]);
        }
        if (both)
            mutex_lock(&many[2]);
        share[first]++;
        sim_work(sim_random(20));
        if (sim_random(4) == 0)
            thread_set_priority(current_thread(), sim_random(PRIORITIES - 1), sim_random(2));
        if (both)
            mutex_unlock(&many[2]);
        mutex_unlock(&many[first]);
        if (sim_random(4) == 0)
            thread_sleep_until(time_after_ns(sim_random(10 * NS_PER_US)));
        enabled = spin_lock_save(&inherit_lock);
        CHECK(list_empty(&current_thread()->holds));
        CHECK_EQ(current_thread()->priority, current_thread()->base_priority);
        spin_unlock_restore(&inherit_lock, enabled);
    }
}

static void body_torture(void)
{
    for (unsigned int i = 0; i < 3; i++)
        mutex_init_inherit(&many[i], false);
    thread_set_priority(current_thread(), PRIORITY_HIGH, false);
    for (unsigned int i = 0; i < 8; i++)
        all[i] = sim_start(sim_random(PRIORITY_IDLE), torture, NULL);
    for (unsigned int i = 0; i < 40; i++) {
        thread_set_priority(all[sim_random(8)], sim_random(PRIORITY_IDLE), sim_random(2));
        thread_sleep_until(time_after_ns(sim_random(10 * NS_PER_US)));
    }
    for (unsigned int i = 0; i < 8; i++)
        sim_join(all[i]);
    for (unsigned int i = 0; i < 3; i++) {
        CHECK_EQ(many[i].word, 0);
        CHECK(list_empty(&many[i].heirs));
        CHECK(!many[i].holder);
    }
}

TEST(inheritance_under_load)
{
    for (uint64_t seed = 0; seed < 1000; seed++) {
        if (!sim_run(seed, 1 + seed % 9, body_torture))
            return;
    }
}
