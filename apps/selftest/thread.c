/* SPDX-License-Identifier: MIT
 *
 * Threads, the scheduler, thread-local storage.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "lib/atomic.h"
#include "mm/page.h"
#include "selftest.h"

static void add_one(void *arg)
{
    (void)atomic_fetch_add((unsigned int *)arg, 1);
}

TEST(thread_create_join)
{
    unsigned int ran = 0;
    struct thread *thread;

    REQUIRE_THREADS(1);
    REQUIRE_EQ(xenolith_thread(&thread, "one", add_one, &ran), 0);
    CHECK_EQ(thread_join(thread, TIME_NEVER), 0);
    CHECK_EQ(ran, 1);
    REQUIRE_EQ(xenolith_thread(&thread, "two", add_one, &ran), 0);
    thread_detach(thread);
    CHECK_EQ(test_await(&ran, 2), 2);
    CHECK_EQ(strcmp(thread_name(current_thread()), "main"), 0);
}

static unsigned long free_pages(void)
{
    struct page_stats stats;

    page_get_stats(&stats);
    return stats.free;
}

TEST(thread_many_leave_no_memory_behind)
{
    struct thread *threads[12];
    unsigned long before = 0;

    REQUIRE_THREADS(12);
    for (int round = 0; round < 5; round++) {
        unsigned int ran = 0;

        for (size_t i = 0; i < 12; i++)
            REQUIRE_EQ(xenolith_thread(&threads[i], "many", add_one, &ran), 0);
        for (size_t i = 0; i < 12; i++)
            CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
        CHECK_EQ(ran, 12);
        if (round == 1)
            before = free_pages();
    }
    CHECK(free_pages() + 4 >= before);
}

struct sleeper {
    uint64_t deadline_ns;
    unsigned int place, *next_place;
    bool late; /* the deadline was past before the sleep began */
};

static void sleeper(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->late = time_now_ns() >= sleeper->deadline_ns;
    thread_sleep_until(sleeper->deadline_ns);
    sleeper->place = atomic_fetch_add(sleeper->next_place, 1);
}

/* Sleepers end in this order of place: 3, 1, 2. False: a slow host let one begin too late. */
static bool sleep_in_order(void)
{
    uint64_t start_ns = time_after_ns(20 * NS_PER_MS);
    unsigned int next_place = 1;
    struct sleeper sleepers[3];
    struct thread *threads[3];

    for (unsigned int i = 0; i < 3; i++) {
        sleepers[i] = (struct sleeper){ .next_place = &next_place };
        sleepers[i].deadline_ns = start_ns + (i + 2) % 3 * 20 * NS_PER_MS;
        if (!CHECK_EQ(xenolith_thread(&threads[i], "sleeper", sleeper, &sleepers[i]), 0))
            return true;
    }
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
    if (sleepers[0].late || sleepers[1].late || sleepers[2].late)
        return false;
    CHECK_EQ(sleepers[0].place, 3);
    CHECK_EQ(sleepers[1].place, 1);
    CHECK_EQ(sleepers[2].place, 2);
    return true;
}

TEST(thread_sleep_wakes_in_order)
{
    REQUIRE_THREADS(3);
    for (int tries = 0; tries < 20; tries++) {
        if (sleep_in_order())
            return;
    }
    test_skip("the host is too slow");
}

TEST(thread_sleep_is_not_short)
{
    for (unsigned int ms = 0; ms <= 20; ms += 5) {
        uint64_t start_ns = time_now_ns();

        test_sleep_ms(ms);
        CHECK(time_now_ns() - start_ns >= ms * NS_PER_MS);
        CHECK(time_now_ns() - start_ns < TEST_PATIENCE_NS);
    }
    thread_sleep_until(0); /* past: returns */
}

struct spinner {
    uint64_t turns;
    bool stop;
};

static void spin(void *arg)
{
    struct spinner *spinner = arg;

    while (!load_once(&spinner->stop))
        store_once(&spinner->turns, spinner->turns + 1);
}

/* Wait until it got the CPU. */
static bool turned(const struct spinner *spinner)
{
    uint64_t deadline_ns = time_after_ns(TEST_PATIENCE_NS);

    while (load_once(&spinner->turns) == 0 && time_now_ns() < deadline_ns)
        test_sleep_ms(5);
    return load_once(&spinner->turns) > 0;
}

TEST(thread_spinning_stops_nobody)
{
    struct spinner spinners[3] = { 0 };
    struct thread *threads[3];

    REQUIRE_THREADS(3);
    for (size_t i = 0; i < 3; i++)
        REQUIRE_EQ(xenolith_thread(&threads[i], "spin", spin, &spinners[i]), 0);
    for (size_t i = 0; i < 3; i++)
        CHECK(turned(&spinners[i]));
    for (size_t i = 0; i < 3; i++)
        store_once(&spinners[i].stop, true);
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
}

TEST(thread_join_running_times_out)
{
    struct spinner spinner = { 0 };
    struct thread *thread;

    REQUIRE_THREADS(1);
    REQUIRE_EQ(xenolith_thread(&thread, "spin", spin, &spinner), 0);
    CHECK_EQ(thread_join(thread, time_after_ns(5 * NS_PER_MS)), -XEN_ETIMEDOUT);
    store_once(&spinner.stop, true);
    CHECK_EQ(thread_join(thread, TIME_NEVER), 0);
}

TEST(thread_high_priority_goes_first)
{
    struct spinner spinner = { 0 };
    struct thread *low, *high;
    unsigned int ran = 0;

    REQUIRE_THREADS(2);
    REQUIRE_EQ(thread_create(&low, "low", THREAD_STACK_ORDER, PRIORITY_LOW, spin, &spinner), 0);
    CHECK(turned(&spinner)); /* it runs while nobody better wants to */
    REQUIRE_EQ(thread_create(&high, "high", THREAD_STACK_ORDER, PRIORITY_HIGH, add_one, &ran), 0);
    CHECK_EQ(thread_join(high, time_after_ns(TEST_PATIENCE_NS)), 0);
    CHECK_EQ(ran, 1);
    store_once(&spinner.stop, true);
    CHECK_EQ(thread_join(low, TIME_NEVER), 0);
}

/* A sum that depends on every bit of the registers it is kept in. */
static double sum(double step, long double *wide)
{
    double sums[8] = { 0 };

    *wide = 0;
    for (int i = 1; i < 200000; i++) {
        for (int k = 0; k < 8; k++)
            sums[k] += step / (i + k);
        *wide += (long double)step / (long double)i;
    }
    return sums[0] + 2 * sums[1] + 3 * sums[2] + 5 * sums[3] + 7 * sums[4] + 11 * sums[5] +
           13 * sums[6] + 17 * sums[7];
}

struct floats {
    double step, got;
    long double got_wide;
};

static void compute(void *arg)
{
    struct floats *floats = arg;

    for (int i = 0; i < 3; i++)
        floats->got = sum(floats->step, &floats->got_wide);
}

TEST(thread_floats_survive_preemption)
{
    struct floats floats[4];
    struct thread *threads[4];

    REQUIRE_THREADS(4);
    for (size_t i = 0; i < 4; i++) {
        floats[i].step = 1.0 + (double)i / 3;
        REQUIRE_EQ(xenolith_thread(&threads[i], "floats", compute, &floats[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
    for (size_t i = 0; i < 4; i++) {
        long double wide;

        CHECK(sum(floats[i].step, &wide) == floats[i].got);
        CHECK(wide == floats[i].got_wide);
    }
}

static __thread int tls_initialised = 42;
static __thread char tls_zeroed[100];

static void use_tls(void *arg)
{
    int number = (int)(uintptr_t)arg;

    CHECK_EQ(tls_initialised, 42);
    CHECK_EQ(tls_zeroed[99], 0);
    tls_initialised = number;
    tls_zeroed[99] = (char)number;
    errno = number;
    test_sleep_ms(5); /* others come in between */
    CHECK_EQ(tls_initialised, number);
    CHECK_EQ(tls_zeroed[99], number);
    CHECK_EQ(errno, number);
}

TEST(thread_local_and_errno_are_apart)
{
    struct thread *threads[4];

    REQUIRE_THREADS(4);
    errno = 99;
    for (uintptr_t i = 0; i < 4; i++)
        REQUIRE_EQ(xenolith_thread(&threads[i], "tls", use_tls, (void *)(i + 1)), 0);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
    CHECK_EQ(errno, 99);
    CHECK_EQ(tls_initialised, 42);
}

TEST(thread_may_not_sleep_with_preemption_off)
{
    CHECK(may_sleep());
    preempt_disable();
    CHECK(!may_sleep());
    preempt_enable();
    CHECK(may_sleep());
}
