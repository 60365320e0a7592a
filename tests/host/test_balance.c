/* SPDX-License-Identifier: MIT
 *
 * Which vCPU runs a thread, and how much of it: placement, shares, CPU time.
 */
#include "tests/host/sim_threads.h"

/* --- shares
 * ---------------------------------------------------------------------------------------- */

static unsigned int threads_busy, percent_theirs;

/* The shares are CPU time: how fast the simulated vCPUs go is a matter of chance. */
static void body_fair(void)
{
    struct thread *all[ARRAY_SIZE(share)];
    uint64_t sum_ns = 0, had_ns[ARRAY_SIZE(share)], start_ns;

    sim_await_vcpus();
    stop = false;
    memset(share, 0, sizeof(share));
    thread_cpu_ns(current_thread());
    start_ns = time_now_ns();
    for (unsigned int i = 0; i < threads_busy; i++)
        all[i] = sim_start(PRIORITY_NORMAL, compute, &share[i]);
    thread_sleep_until(time_after_ns(2 * NS_PER_S));
    for (unsigned int i = 0; i < threads_busy; i++)
        sum_ns += had_ns[i] = thread_cpu_ns(all[i]);
    CHECK_GT(sum_ns * 100,
             (time_now_ns() - start_ns) * MIN(threads_busy, sim.vcpus) * percent_theirs);
    for (unsigned int i = 0; i < threads_busy; i++) {
        CHECK_GT(had_ns[i] * 10 * threads_busy, sum_ns * 9);
        CHECK_LT(had_ns[i] * 10 * threads_busy, sum_ns * 11);
    }
    stop = true;
    for (unsigned int i = 0; i < threads_busy; i++)
        sim_join(all[i]);
}

TEST(equals_get_equal_shares_of_several_vcpus)
{
    static const struct {
        unsigned int threads, vcpus;
    } cases[] = { { 3, 2 }, { 5, 2 }, { 4, 3 }, { 5, 4 }, { 7, 4 }, { 11, 8 }, { 4, 4 } };

    sim.step_ns = 10 * NS_PER_US;
    for (uint64_t seed = 0; seed < 3 * ARRAY_SIZE(cases); seed++) {
        threads_busy = cases[seed % ARRAY_SIZE(cases)].threads;
        percent_theirs = 90;
        if (!sim_run(seed, cases[seed % ARRAY_SIZE(cases)].vcpus, body_fair))
            return;
    }
}

/* Xen takes the vCPU away whenever share[0]'s thread runs, for nine tenths of the time. */
static struct thread *robbed;

static void rob(void)
{
    struct sim_vcpu *vcpu = &sim.all[sim.vcpu];

    if (sim.active && robbed && vcpu->percpu.current == robbed) {
        sim.now_ns += 9 * sim.step_ns;
        vcpu->stolen_ns += 9 * sim.step_ns;
    }
}

static void body_stolen(void)
{
    struct thread *all[2];

    sim_await_vcpus();
    stop = false;
    memset(share, 0, sizeof(share));
    for (unsigned int i = 0; i < 2; i++)
        all[i] = sim_start(PRIORITY_NORMAL, compute, &share[i]);
    robbed = all[0];
    sim.on_point = rob;
    thread_sleep_until(time_after_ns(4 * NS_PER_S));
    sim.on_point = NULL;
    robbed = NULL;
    stop = true;
    for (unsigned int i = 0; i < 2; i++)
        sim_join(all[i]);
}

TEST(stolen_time_is_no_part_of_a_slice)
{
    sim.step_ns = 5 * NS_PER_US;
    for (uint64_t seed = 0; seed < 5; seed++) {
        if (!sim_run(seed, 1, body_stolen))
            return;
        CHECK_GT(share[0] * 10, share[1] * 7);
    }
}

/* A service that runs just when a slice ends must not keep it from ending. */
static void serve_often(void *arg)
{
    const struct runq *rq = sim.all[0].percpu.runq;

    (void)arg;
    while (!stop) {
        uint64_t end_ns = rq->slice_armed ? rq->slice.deadline_ns : time_after_ns(NS_PER_MS);

        thread_sleep_until(end_ns - MIN(end_ns, 300 * NS_PER_US));
        while (!stop && time_now_ns() < end_ns + 200 * NS_PER_US)
            sim_point();
    }
}

static void body_service(void)
{
    struct thread *service = sim_start(PRIORITY_HIGH, serve_often, NULL);

    threads_busy = 3;
    percent_theirs = 70;
    body_fair();
    sim_join(service);
}

TEST(service_does_not_stop_rotation)
{
    sim.step_ns = 5 * NS_PER_US;
    for (uint64_t seed = 0; seed < 5; seed++) {
        if (!sim_run(seed, 1, body_service))
            return;
    }
}

/* --- placement
 * ------------------------------------------------------------------------------------- */

static struct semaphore go, done;
static unsigned int seen_vcpus, meeting;

static void meet(void *arg)
{
    uint64_t until_ns;

    (void)arg;
    semaphore_wait(&go, TIME_NEVER);
    __atomic_fetch_or(&seen_vcpus, 1U << here(), __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&meeting, 1, __ATOMIC_SEQ_CST);
    /* All are there at once, or one waits behind another for longer than this. */
    until_ns = time_after_ns(5 * NS_PER_MS);
    while (load_once(&meeting) < sim.vcpus - 1 && time_now_ns() < until_ns)
        sim_point();
    semaphore_post(&done);
}

static void body_spread(void)
{
    struct thread *all[8];

    sim_await_vcpus();
    semaphore_init(&go, 0);
    semaphore_init(&done, 0);
    seen_vcpus = meeting = 0;
    for (unsigned int i = 0; i < sim.vcpus - 1; i++)
        all[i] = sim_start(PRIORITY_NORMAL, meet, NULL);
    thread_sleep_until(time_after_ns(10 * NS_PER_MS));
    preempt_disable();
    for (unsigned int i = 0; i < sim.vcpus - 1; i++)
        semaphore_post(&go);
    while (load_once(&meeting) < sim.vcpus - 1)
        sim_point();
    preempt_enable();
    CHECK_EQ(__builtin_popcount(seen_vcpus), sim.vcpus - 1);
    for (unsigned int i = 0; i < sim.vcpus - 1; i++)
        sim_join(all[i]);
}

TEST(woken_threads_spread_over_idle_vcpus)
{
    sim.step_ns = 500;
    for (uint64_t seed = 0; seed < 300; seed++) {
        if (!sim_run(seed, 2 + seed % 8, body_spread))
            return;
    }
}

static unsigned int ran_on;

static void note_vcpu(void *arg)
{
    (void)arg;
    semaphore_wait(&go, TIME_NEVER);
    store_once(&ran_on, here());
}

/* The thread is put where it can run, not where somebody has to come and take it from. */
static void body_placed(void)
{
    struct vcpu_set mine = set_of(1);
    struct thread *thread;

    sim_await_vcpus();
    CHECK_EQ(thread_set_affinity(current_thread(), &mine), 0);
    semaphore_init(&go, 0);
    for (unsigned int i = 0; i < 5; i++) {
        struct vcpu_set all = set_of(~0UL);
        struct thread_options options = { .name = "sleeper",
                                          .priority = PRIORITY_HIGH,
                                          .affinity = &mine };

        thread = start_with(&options, note_vcpu, NULL); /* sleeps here */
        CHECK_EQ(thread_vcpu(thread), 0);
        thread_set_priority(thread, PRIORITY_NORMAL, false);
        CHECK_EQ(thread_set_affinity(thread, &all), 0);
        thread_sleep_until(time_after_ns(NS_PER_MS)); /* the others are idle */
        upcalls_disable();
        semaphore_post(&go);
        CHECK_NE(thread_vcpu(thread), 0);
        upcalls_enable();
        sim_join(thread);
    }
}

TEST(woken_thread_is_put_on_an_idle_vcpu)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        if (!sim_run(seed, 2 + seed % 8, body_placed))
            return;
    }
}

/* The cost of a wake-up does not grow with the idle vCPUs. */
static uint64_t wake_points;

static void wait_then_post(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 50; i++) {
        semaphore_wait(&go, TIME_NEVER);
        semaphore_post(&done);
    }
}

static void body_wake_cost(void)
{
    struct thread *thread;
    unsigned int notifies;

    sim_await_vcpus();
    semaphore_init(&go, 0);
    semaphore_init(&done, 0);
    thread = sim_start(PRIORITY_NORMAL, wait_then_post, NULL);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    notifies = sim.notifies;
    for (unsigned int i = 0; i < 50; i++) {
        semaphore_post(&go);
        semaphore_wait(&done, TIME_NEVER);
    }
    wake_points = sim.points;
    CHECK_LE(sim.notifies - notifies, 2 * 50 + 5);
    sim_join(thread);
}

TEST(wake_sends_one_event)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        if (!sim_run(seed, 2 + 2 * (seed % 6), body_wake_cost))
            return;
    }
}

/* All vCPUs are busy, one of them with something worse: a realtime thread goes there. */
static void body_worse(void)
{
    unsigned int last = sim.vcpus - 1, points = 0;
    struct vcpu_set first = set_of(1);
    struct thread *all[12], *realtime;

    sim_await_vcpus();
    stop = false;
    semaphore_init(&go, 0);
    ran_on = UINT32_MAX;
    thread_set_priority(current_thread(), PRIORITY_REALTIME, false);
    CHECK_EQ(thread_set_affinity(current_thread(), &first), 0);
    for (unsigned int i = 0; i < sim.vcpus; i++) {
        struct vcpu_set one = set_of(1UL << i);
        struct thread_options options = {
            .name = "busy",
            .priority = i == last ? PRIORITY_NORMAL : PRIORITY_REALTIME + 3,
            .affinity = &one,
        };

        if (i > 0)
            all[i] = start_with(&options, compute, &share[i]);
    }
    realtime = sim_start(PRIORITY_REALTIME + 5, note_vcpu, NULL);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    preempt_disable();
    semaphore_post(&go);
    while (load_once(&ran_on) == UINT32_MAX && ++points < 4000)
        sim_point();
    CHECK_EQ(ran_on, last);
    stop = true;
    preempt_enable();
    sim_join(realtime);
    for (unsigned int i = 1; i < sim.vcpus; i++)
        sim_join(all[i]);
}

TEST(realtime_thread_finds_a_worse_one)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 2 + seed % 8, body_worse))
            return;
    }
}

/* A thread behind a realtime hog gets on, elsewhere, though no vCPU is ever idle. */
static void body_behind_hog(void)
{
    struct vcpu_set last = set_of(1UL << (sim.vcpus - 1));
    struct thread_options options = {
        .name = "hog", .priority = PRIORITY_REALTIME, .fifo = true, .affinity = &last
    };
    struct thread *all[8], *hog;
    uint64_t until_ns;

    sim_await_vcpus();
    stop = false;
    memset(share, 0, sizeof(share));
    for (unsigned int i = 0; i < sim.vcpus; i++)
        all[i] = sim_start(PRIORITY_NORMAL, compute, &share[i]);
    thread_sleep_until(time_after_ns(30 * NS_PER_MS));
    hog = start_with(&options, compute, &share[15]);
    thread_sleep_until(time_after_ns(30 * NS_PER_MS));
    memset(share, 0, sizeof(share));
    until_ns = time_after_ns(500 * NS_PER_MS);
    while (time_now_ns() < until_ns)
        thread_sleep_until(time_after_ns(50 * NS_PER_MS));
    for (unsigned int i = 0; i < sim.vcpus; i++)
        CHECK_GT(share[i] * 3, share[15] / sim.vcpus);
    stop = true;
    for (unsigned int i = 0; i < sim.vcpus; i++)
        sim_join(all[i]);
    sim_join(hog);
}

TEST(nobody_waits_behind_a_hog)
{
    sim.step_ns = 50 * NS_PER_US;
    for (uint64_t seed = 0; seed < 20; seed++) {
        if (!sim_run(seed, 2 + seed % 4, body_behind_hog))
            return;
    }
}

/* --- CPU time
 * -------------------------------------------------------------------------------------- */

static void body_cpu_time(void)
{
    struct thread *thread, *self = current_thread();
    uint64_t start_ns, begin_ns, mine_ns, other_ns;
    struct vcpu_set one = set_of(1UL << (sim.vcpus - 1));
    struct thread_options options = { .name = "busy",
                                      .priority = PRIORITY_NORMAL,
                                      .affinity = &one };

    sim_await_vcpus();
    stop = false;
    start_ns = thread_cpu_ns(self);
    begin_ns = time_now_ns();
    thread = start_with(&options, compute, &share[0]);
    thread_sleep_until(time_after_ns(50 * NS_PER_MS));
    sim.all[sim.vcpus - 1].stolen_ns += 20 * NS_PER_MS;
    mine_ns = thread_cpu_ns(self) - start_ns;
    other_ns = thread_cpu_ns(thread);
    CHECK_LT(mine_ns, 2 * NS_PER_MS);
    CHECK_LE(other_ns, time_now_ns() - begin_ns - 20 * NS_PER_MS);
    CHECK_GT(other_ns, 27 * NS_PER_MS);
    stop = true;
    sim_join(thread);
}

TEST(cpu_time_without_sleep_and_stolen_time)
{
    sim.step_ns = 5 * NS_PER_US;
    for (uint64_t seed = 0; seed < 50; seed++) {
        if (!sim_run(seed, 2 + seed % 2, body_cpu_time))
            return;
    }
}
