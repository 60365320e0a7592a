/* SPDX-License-Identifier: MIT
 *
 * Wait queues and signals on the simulated machine: order, races of wake-ups and timeouts, nothing
 * lost.
 */
#include "tests/host/sim.h"

static struct waitq q = WAITQ_INIT(q);
static char order[32];
static unsigned int woken, timed_out, wakes;

static unsigned int sleepers(void)
{
    bool enabled = waitq_lock(&q);
    unsigned int count = 0;
    struct list *it;

    list_for_each (it, &q.sleepers)
        count++;
    waitq_unlock(&q, enabled);
    return count;
}

static void sleep_once(void *arg)
{
    bool enabled = waitq_lock(&q);

    CHECK_EQ(waitq_sleep(&q, TIME_NEVER), 0);
    strncat(order, arg, 1); /* the lock is ours again */
    waitq_unlock(&q, enabled);
}

static void body_order(void)
{
    static const char names[] = "abcde";
    unsigned int priority = sim_random(PRIORITY_IDLE);
    struct thread *all[5];

    order[0] = 0;
    for (unsigned int i = 0; i < 5; i++) {
        all[i] = sim_start(priority, sleep_once, (void *)&names[i]);
        while (sleepers() != i + 1)
            thread_sleep_until(time_after_ns(10 * NS_PER_US));
    }
    for (unsigned int i = 0; i < 3; i++) {
        CHECK_EQ(waitq_wake_one(&q), 1);
        sim_join(all[i]); /* the one that came first */
    }
    CHECK_STR(order, "abc");
    CHECK_EQ(waitq_wake_all(&q), 2);
    CHECK_EQ(waitq_wake_all(&q), 0);
    CHECK_EQ(waitq_wake_one(&q), 0);
    sim_join(all[3]);
    sim_join(all[4]);
    CHECK_EQ(strlen(order), 5);
}

TEST(sleepers_wake_in_order)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        if (!sim_run(seed, 1 + seed % 4, body_order))
            return;
    }
}

static void body_best_first(void)
{
    static const char names[] = "aAbBcC";
    struct thread *all[6];

    order[0] = 0;
    for (unsigned int i = 0; i < 6; i++) {
        all[i] = sim_start(PRIORITY_REALTIME + (i + 3) / 2 % 3, sleep_once, (void *)&names[i]);
        while (sleepers() != i + 1)
            thread_sleep_until(time_after_ns(10 * NS_PER_US));
    }
    for (unsigned int i = 0; i < 6; i++) {
        CHECK_EQ(waitq_wake_one(&q), 1);
        while (strlen(order) != i + 1)
            thread_sleep_until(time_after_ns(10 * NS_PER_US));
    }
    CHECK_STR(order, "BcaCAb");
    for (unsigned int i = 0; i < 6; i++)
        sim_join(all[i]);
}

TEST(best_sleeper_wakes_first)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        sim_run(seed, 1 + seed % 3, body_best_first);
}

static void body_past_deadline(void)
{
    bool enabled = waitq_lock(&q);
    unsigned int sets = sim.timer_sets;
    uint64_t switches = this_percpu()->runq->switches;

    CHECK_EQ(waitq_sleep(&q, 0), -XEN_ETIMEDOUT);
    CHECK_EQ(waitq_sleep(&q, time_now_ns()), -XEN_ETIMEDOUT);
    CHECK(list_empty(&q.sleepers));
    CHECK_EQ(sim.timer_sets, sets);
    CHECK_EQ(this_percpu()->runq->switches, switches);
    waitq_unlock(&q, enabled);
}

TEST(past_deadline_does_not_sleep)
{
    sim_run(1, 1, body_past_deadline);
}

/* A sleeper's deadline and a waker's wake-ups fall together. Each wake-up that found somebody is
 * one sleep that returned 0, and the other way round. */
static void sleep_often(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 15; i++) {
        bool enabled = waitq_lock(&q);
        uint64_t deadline_ns = time_after_ns(sim_random(30 * NS_PER_US));
        int rc = waitq_sleep(&q, deadline_ns);

        if (rc == 0) {
            woken++;
        } else {
            CHECK_EQ(rc, -XEN_ETIMEDOUT);
            CHECK_GE(time_now_ns(), deadline_ns);
            timed_out++;
        }
        waitq_unlock(&q, enabled);
        sim_work(sim_random(10));
    }
}

static bool stop;

static void wake_often(void *arg)
{
    unsigned int mine = 0;

    (void)arg;
    while (!load_once(&stop)) {
        mine += sim_random(4) ? waitq_wake_one(&q) : waitq_wake_all(&q);
        thread_sleep_until(time_after_ns(sim_random(10 * NS_PER_US)));
    }
    __atomic_fetch_add(&wakes, mine, __ATOMIC_SEQ_CST);
}

static void device_wakes(unsigned int vcpu)
{
    (void)vcpu;
    __atomic_fetch_add(&wakes, waitq_wake_one(&q), __ATOMIC_SEQ_CST);
}

static uint64_t total_woken, total_timed_out;

static void body_races(void)
{
    struct thread *sleeping[4], *waking[2];

    woken = timed_out = wakes = 0;
    stop = false;
    sim.device = device_wakes;
    sim.device_rate = 60;
    for (unsigned int i = 0; i < 2; i++)
        waking[i] = sim_start(PRIORITY_NORMAL, wake_often, NULL);
    for (unsigned int i = 0; i < 4; i++)
        sleeping[i] = sim_start(PRIORITY_NORMAL, sleep_often, NULL);
    for (unsigned int i = 0; i < 4; i++)
        sim_join(sleeping[i]);
    store_once(&stop, true);
    for (unsigned int i = 0; i < 2; i++)
        sim_join(waking[i]);
    sim_device_stop();
    CHECK_EQ(woken + timed_out, 4 * 15);
    CHECK_EQ(woken, wakes);
    CHECK(list_empty(&q.sleepers));
    total_woken += woken;
    total_timed_out += timed_out;
}

TEST(wake_and_timeout_race_has_one_winner)
{
    for (uint64_t seed = 0; seed < 1500; seed++) {
        if (!sim_run(seed, 1 + seed % 5, body_races))
            return;
    }
    CHECK_GT(total_woken, 10000); /* the race was on */
    CHECK_GT(total_timed_out, 10000);
}

/* A thread's last sleep ends by wake-up just as its timer fires; then it ends and is freed. The
 * timer's function, on another vCPU, must be through with it: the address sanitizer watches. */
static void sleep_and_end(void *arg)
{
    bool enabled = waitq_lock(&q);

    (void)arg;
    waitq_sleep(&q, time_after_ns(10 * NS_PER_US));
    waitq_unlock(&q, enabled);
}

static void body_end_of_sleeper(void)
{
    for (unsigned int i = 0; i < 8; i++) {
        struct thread *first = sim_start(PRIORITY_NORMAL, sleep_and_end, NULL);
        struct thread *second = sim_start(PRIORITY_NORMAL, sleep_and_end, NULL);

        thread_sleep_until(time_after_ns(9 * NS_PER_US));
        sim_work(sim_random(10));
        waitq_wake_all(&q);
        sim_join(first);
        sim_join(second);
    }
}

TEST(timeout_outlives_no_thread)
{
    for (uint64_t seed = 0; seed < 1000; seed++) {
        if (!sim_run(seed, 2 + seed % 4, body_end_of_sleeper))
            return;
    }
}

/* --- nothing is lost
 * ---------------------------------------------------------------------------------- */

static unsigned int produced, consumed;

static void consume(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 30; i++) {
        bool enabled = waitq_lock(&q);

        while (produced == consumed)
            CHECK_EQ(waitq_sleep(&q, TIME_NEVER), 0); /* lost: the machine reports that all wait */
        consumed++;
        waitq_unlock(&q, enabled);
    }
}

static void produce(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 30; i++) {
        bool enabled = waitq_lock(&q);

        produced++;
        waitq_wake_one_locked(&q);
        waitq_unlock(&q, enabled);
        sim_work(sim_random(10));
    }
}

static void body_produce(void)
{
    struct thread *all[6];

    produced = consumed = 0;
    for (unsigned int i = 0; i < 6; i++)
        all[i] = sim_start(sim_random(PRIORITY_IDLE), i % 2 ? consume : produce, NULL);
    for (unsigned int i = 0; i < 6; i++)
        sim_join(all[i]);
    CHECK_EQ(produced, 90);
    CHECK_EQ(consumed, 90);
}

TEST(no_wake_up_is_lost)
{
    for (uint64_t seed = 0; seed < 2000; seed++) {
        if (!sim_run(seed, 1 + seed % 5, body_produce))
            return;
    }
}

static struct signal signal = SIGNAL_INIT(signal);
static unsigned int raised, taken;

static void device_raises(unsigned int vcpu)
{
    (void)vcpu;
    __atomic_fetch_add(&raised, 1, __ATOMIC_SEQ_CST);
    signal_raise(&signal);
}

/* What the signal told of, all of it is seen, though several raises may be one signal. */
static void body_signal(void)
{
    taken = raised = 0;
    CHECK_EQ(signal_wait(&signal, time_after_ns(NS_PER_US)), -XEN_ETIMEDOUT);
    sim.device = device_raises;
    sim.device_rate = 20 + sim_random(100);
    while (taken < 200) {
        CHECK_EQ(signal_wait(&signal, TIME_NEVER), 0);
        taken = load_once(&raised);
    }
    sim_device_stop();
    signal_wait(&signal, 0);
    signal_raise(&signal);
    signal_raise(&signal);
    CHECK_EQ(signal_wait(&signal, 0), 0); /* up: no need to wait */
    CHECK_EQ(signal_wait(&signal, 0), -XEN_ETIMEDOUT);
}

TEST(signal_from_upcall_is_seen)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        if (!sim_run(seed, 1 + seed % 4, body_signal))
            return;
    }
}

static void body_sleep_in_upcall(void)
{
    this_percpu()->upcall_depth++;
    CHECK(!may_sleep());
    CHECK_ENDS_DOMAIN(signal_wait(&signal, TIME_NEVER));
}

TEST(sleep_in_upcall_panics)
{
    sim_run(1, 1, body_sleep_in_upcall);
}
