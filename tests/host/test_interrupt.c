/* SPDX-License-Identifier: MIT
 *
 * Interrupting threads, asleep and running.
 */
#include "tests/host/sim.h"

static bool stop;
static unsigned int seen;
static struct waitq q;
static struct semaphore sem;

static int sleep_somehow(uint64_t deadline_ns)
{
    struct waitq own = WAITQ_INIT(own); /* gone as soon as the sleep is over */
    struct waitq *at = sim_random(2) ? &q : &own;
    bool enabled = waitq_lock(at);
    int rc = waitq_sleep_interruptible(at, deadline_ns);

    waitq_unlock(at, enabled);
    memset(&own, 0xa5, sizeof(own));
    return rc;
}

static void be_interrupted(void *arg)
{
    (void)arg;
    while (!load_once(&stop)) {
        bool timed = sim_random(2);
        int rc = sleep_somehow(timed ? time_after_ns(sim_random(20 * NS_PER_US)) : TIME_NEVER);

        CHECK(rc == 0 || rc == -XEN_EINTR || (timed && rc == -XEN_ETIMEDOUT));
        if (rc == -XEN_EINTR) {
            CHECK(thread_interrupted());
            CHECK_EQ(sleep_somehow(TIME_NEVER), -XEN_EINTR); /* it stays */
            CHECK_EQ(thread_sleep_interruptible(TIME_NEVER), -XEN_EINTR);
            thread_interrupt_clear();
            CHECK(!thread_interrupted());
            seen++;
            semaphore_post(&sem);
        }
        if (sim_random(4) == 0) /* not ended by interrupts */
            thread_sleep_until(time_after_ns(sim_random(20 * NS_PER_US)));
    }
}

static struct thread *victim;

static void device_wakes(unsigned int vcpu)
{
    (void)vcpu;
    waitq_wake_one(&q);
}

static void body_sleepers(void)
{
    waitq_init(&q);
    semaphore_init(&sem, 0);
    seen = 0;
    stop = false;
    victim = sim_start(PRIORITY_NORMAL - sim_random(2), be_interrupted, NULL);
    sim.device = device_wakes;
    sim.device_rate = 200;
    for (unsigned int i = 0; i < 30; i++) {
        sim_work(sim_random(60));
        thread_interrupt(victim);
        CHECK_EQ(semaphore_wait(&sem, TIME_NEVER), 0); /* none is lost */
        CHECK_EQ(seen, i + 1);
    }
    sim_device_stop();
    store_once(&stop, true);
    thread_interrupt(victim);
    sim_join(victim);
}

TEST(interrupt_ends_sleep)
{
    for (uint64_t seed = 0; seed < 1500; seed++) {
        if (!sim_run(seed, 1 + seed % 5, body_sleepers))
            return;
    }
}

/* From an upcall. */
static unsigned int interrupts;

static void device_interrupts(unsigned int vcpu)
{
    (void)vcpu;
    interrupts++;
    thread_interrupt(victim);
}

static void count_interrupts(void *arg)
{
    (void)arg;
    while (!load_once(&stop)) {
        CHECK_EQ(thread_sleep_interruptible(time_after_ns(NS_PER_S)), -XEN_EINTR);
        thread_interrupt_clear();
        seen++;
    }
}

static void body_upcalls(void)
{
    stop = false;
    seen = interrupts = 0;
    victim = sim_start(PRIORITY_NORMAL, count_interrupts, NULL);
    sim.device = device_interrupts;
    sim.device_rate = 300;
    while (load_once(&seen) < 20)
        thread_sleep_until(time_after_ns(50 * NS_PER_US));
    CHECK_GE(interrupts, 20);
    store_once(&stop, true);
    sim_device_stop();
    thread_interrupt(victim);
    sim_join(victim);
}

TEST(interrupt_from_upcall)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        if (!sim_run(seed, 1 + seed % 4, body_upcalls))
            return;
    }
}

static void sleep_long(void *arg)
{
    (void)arg;
    thread_sleep_until(time_after_ns(5 * NS_PER_MS));
}

static void join_it(void *arg)
{
    CHECK_EQ(thread_join_interruptible(arg, TIME_NEVER), -XEN_EINTR);
    thread_interrupt_clear();
    CHECK_EQ(thread_join_interruptible(arg, TIME_NEVER), 0);
}

static void body_join(void)
{
    struct thread *joiner, *slow = sim_start(PRIORITY_NORMAL, sleep_long, NULL);

    joiner = sim_start(PRIORITY_NORMAL, join_it, slow);
    sim_work(sim_random(300));
    thread_interrupt(joiner);
    sim_join(joiner);
}

TEST(interrupt_ends_join)
{
    for (uint64_t seed = 0; seed < 200; seed++)
        sim_run(seed, 1 + seed % 3, body_join);
}

/* --- running threads
 * ------------------------------------------------------------------------------ */

static unsigned int async_calls;
static bool ends;

static void on_async(void)
{
    CHECK(sim_upcalls_enabled());
    CHECK(may_sleep());
    CHECK(current_thread() == victim);
    thread_interrupt_clear();
    async_calls++;
    if (ends)
        thread_exit();
}

static void compute(void *arg)
{
    bool allow = arg;

    thread_allow_async(allow);
    while (!load_once(&stop)) {
        sim_point();
        if (sim_random(50) == 0)
            thread_yield();
        if (sim_random(50) == 0) {
            CHECK_EQ(thread_allow_async(false), allow);
            seen = async_calls;
            sim_work(sim_random(30));
            CHECK(!allow || async_calls == seen);
            thread_allow_async(allow);
        }
    }
}

static void body_async(void)
{
    struct thread *other;

    thread_set_async(on_async);
    stop = ends = false;
    async_calls = 0;
    victim = sim_start(PRIORITY_NORMAL, compute, &stop);
    other = sim_start(PRIORITY_NORMAL, compute, NULL); /* has not allowed it */
    thread_interrupt(other);
    for (unsigned int i = 0; i < 20; i++) {
        unsigned int points = 0;

        if (i == 19)
            store_once(&ends, true);
        thread_interrupt(victim);
        while (load_once(&async_calls) <= i && ++points < 3000)
            thread_yield();
        CHECK_EQ(async_calls, i + 1);
    }
    sim_join(victim); /* it never came back from the last one */
    store_once(&stop, true);
    sim_join(other);
}

TEST(interrupt_of_running_thread_calls_async)
{
    for (uint64_t seed = 0; seed < 400; seed++) {
        if (!sim_run(seed, 1 + seed % 5, body_async))
            return;
    }
}

/* It makes no call of ours: only an event reaches it. */
static void compute_alone(void *arg)
{
    (void)arg;
    thread_allow_async(true);
    while (!load_once(&stop))
        sim_point();
}

static void body_async_event(void)
{
    struct vcpu_set one = { { 2 } };
    struct thread_options options = {
        .name = "alone", .priority = PRIORITY_REALTIME, .fifo = true, .affinity = &one
    };

    sim_await_vcpus();
    thread_set_async(on_async);
    stop = ends = false;
    async_calls = 0;
    thread_create_with(&victim, &options, compute_alone, NULL);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    for (unsigned int i = 0; i < 10; i++) {
        unsigned int points = 0;

        thread_interrupt(victim);
        while (load_once(&async_calls) <= i && ++points < 3000)
            sim_point();
        CHECK_EQ(async_calls, i + 1);
    }
    store_once(&stop, true);
    sim_join(victim);
}

TEST(interrupt_sends_an_event_to_another_vcpu)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 2, body_async_event))
            return;
    }
}

/* It waits for its turn, in thread_yield(): the call comes with the turn. */
static void yield_only(void *arg)
{
    (void)arg;
    thread_allow_async(true);
    while (!load_once(&stop)) {
        seen++;
        thread_yield();
    }
}

static void body_async_ready(void)
{
    thread_set_async(on_async);
    stop = ends = false;
    async_calls = seen = 0;
    victim = sim_start(PRIORITY_NORMAL, yield_only, NULL);
    thread_yield();
    for (unsigned int i = 0; i < 10; i++) {
        unsigned int turns = seen;

        thread_interrupt(victim);
        CHECK_EQ(async_calls, i);
        thread_yield();
        CHECK_EQ(async_calls, i + 1);
        CHECK_EQ(seen, turns + 1);
    }
    store_once(&stop, true);
    sim_join(victim);
}

TEST(interrupt_of_ready_thread_comes_with_its_turn)
{
    sim.step_ns = 10;
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 1, body_async_ready))
            return;
    }
}

/* What the libc does when it finds a thread in code of its own: leaves the flag up and has the
 * thread interrupted once more; here that comes before the first call is over. */
static void on_async_again(void)
{
    async_calls++;
    if (async_calls < 3)
        thread_interrupt(current_thread());
    else
        thread_interrupt_clear();
}

static void body_async_again(void)
{
    thread_set_async(on_async_again);
    stop = false;
    async_calls = seen = 0;
    victim = sim_start(PRIORITY_NORMAL, yield_only, NULL);
    thread_yield();
    thread_interrupt(victim);
    thread_yield();
    CHECK_EQ(async_calls, 3);
    store_once(&stop, true);
    sim_join(victim);
}

TEST(interrupt_during_its_call_is_not_lost)
{
    sim.step_ns = 10;
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 1, body_async_again))
            return;
    }
}
