/* SPDX-License-Identifier: MIT
 *
 * Which vCPUs a thread may run on: affinity, and vCPUs that leave and come.
 */
#include "tests/host/sim_threads.h"

/* --- affinity
 * -------------------------------------------------------------------------------------- */

static void wander(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 30; i++) {
        unsigned long bits = 1 + sim_random((1UL << sim.vcpus) - 1);
        struct vcpu_set set = set_of(bits), now;

        CHECK_EQ(thread_set_affinity(current_thread(), &set), 0);
        thread_affinity(current_thread(), &now);
        CHECK_EQ(now.bits[0], bits);
        for (unsigned int turn = 0; turn < 6; turn++) {
            upcalls_disable();
            if (!(bits >> here() & 1))
                sim_fail("a thread is where its affinity forbids");
            upcalls_enable();
            switch (sim_random(4)) {
            case 0:
                thread_yield();
                break;
            case 1:
                thread_sleep_until(time_after_ns(sim_random(20 * NS_PER_US)));
                break;
            default:
                sim_work(sim_random(30));
            }
        }
    }
}

static void body_affinity(void)
{
    struct thread *all[8];
    struct vcpu_set none = set_of(1UL << sim.vcpus);

    sim_await_vcpus();
    CHECK_EQ(thread_set_affinity(current_thread(), &none), -XEN_EINVAL);
    for (unsigned int i = 0; i < 8; i++)
        all[i] = sim_start(PRIORITY_NORMAL + sim_random(2), wander, NULL);
    for (unsigned int i = 0; i < 8; i++)
        sim_join(all[i]);
}

TEST(affinity_is_kept)
{
    for (uint64_t seed = 0; seed < 400; seed++) {
        if (!sim_run(seed, 2 + seed % 7, body_affinity))
            return;
    }
}

static unsigned int where;

static void tell_where(void *arg)
{
    (void)arg;
    while (!stop) {
        store_once(&where, here());
        sim_work(sim_random(8));
        if (sim_random(10) == 0)
            thread_sleep_until(time_after_ns(sim_random(10 * NS_PER_US)));
    }
}

static void body_moved(void)
{
    struct thread *thread;

    sim_await_vcpus();
    stop = false;
    thread = sim_start(PRIORITY_NORMAL, tell_where, NULL);
    for (unsigned int i = 0; i < 20; i++) {
        unsigned int vcpu = sim_random(sim.vcpus), points = 0;
        struct vcpu_set one = set_of(1UL << vcpu);

        CHECK_EQ(thread_set_affinity(thread, &one), 0);
        sim_work(600);
        where = UINT32_MAX;
        while (load_once(&where) == UINT32_MAX && ++points < 10000)
            thread_sleep_until(time_after_ns(10 * NS_PER_US));
        CHECK_EQ(where, vcpu);
        CHECK_EQ(thread_vcpu(thread), vcpu);
    }
    stop = true;
    sim_join(thread);
}

TEST(affinity_of_another_moves_it)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        if (!sim_run(seed, 2 + seed % 5, body_moved))
            return;
    }
}

/* --- vCPUs that leave and come
 * --------------------------------------------------------------------- */

static void live(void *arg)
{
    struct mutex *mutex = arg;

    for (unsigned int i = 0; i < 60; i++) {
        switch (sim_random(6)) {
        case 0:
            thread_yield();
            break;
        case 1:
            thread_sleep_until(time_after_ns(sim_random(60 * NS_PER_US)));
            break;
        case 2:
        case 3:
            mutex_lock(mutex);
            share[0]++;
            sim_work(sim_random(10));
            mutex_unlock(mutex);
            break;
        case 4: {
            unsigned long bits = 1 + sim_random((1UL << sim.vcpus) - 1);
            struct vcpu_set set = set_of(bits);

            thread_set_affinity(current_thread(), &set); /* perhaps nobody of it is there */
            break;
        }
        default:
            sim_work(sim_random(40));
        }
        upcalls_disable();
        if (sim.all[here()].parked)
            sim_fail("a thread runs on a vCPU that has gone");
        upcalls_enable();
    }
}

static void body_hotplug(void)
{
    struct mutex mutex;
    struct thread *all[8];
    bool down[16] = { false };

    sim_await_vcpus();
    if (sim_random(2))
        mutex_init(&mutex, false);
    else
        mutex_init_inherit(&mutex, false);
    for (unsigned int i = 0; i < 8; i++)
        all[i] = sim_start(PRIORITY_NORMAL - sim_random(2), live, &mutex);
    for (unsigned int i = 0; i < 12; i++) {
        unsigned int vcpu = 1 + sim_random(sim.vcpus - 1);

        if (down[vcpu])
            sim_vcpu_up(vcpu);
        else
            sim_vcpu_down(vcpu);
        down[vcpu] = !down[vcpu];
        thread_sleep_until(time_after_ns(sim_random(100 * NS_PER_US)));
    }
    for (unsigned int i = 0; i < 8; i++)
        sim_join(all[i]);
    for (unsigned int i = 1; i < sim.vcpus; i++) {
        struct runq *rq = sim.all[i].percpu.runq;

        CHECK(!down[i] || (rq->ready == 0 && rq->cpu->current == rq->idle));
        CHECK(!down[i] || rq->cpu->timers->root == NULL);
    }
}

TEST(vcpus_leave_and_come_under_load)
{
    for (uint64_t seed = 0; seed < 1000; seed++) {
        if (!sim_run(seed, 2 + seed % 7, body_hotplug))
            return;
    }
}

/* Threads that never give the vCPU away, and one that waits behind them. */
static void body_busy_vcpu_leaves(void)
{
    struct vcpu_set one = set_of(2), all_vcpus = set_of(~0UL);
    struct thread_options options = {
        .name = "busy", .priority = PRIORITY_LOW, .fifo = true, .affinity = &one
    };
    struct thread *all[3];

    sim_await_vcpus();
    stop = false;
    for (unsigned int i = 0; i < 3; i++)
        all[i] = start_with(&options, compute, &share[i]);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    for (unsigned int i = 0; i < 3; i++)
        CHECK_EQ(thread_set_affinity(all[i], &all_vcpus), 0);
    sim_vcpu_down(1);
    for (unsigned int i = 0; i < 3; i++)
        CHECK_NE(thread_vcpu(all[i]), 1);
    stop = true;
    for (unsigned int i = 0; i < 3; i++)
        sim_join(all[i]);
}

TEST(busy_vcpu_leaves)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 2 + seed % 3, body_busy_vcpu_leaves))
            return;
    }
}

static uint64_t late_ns;

static void sleep_there(void *arg)
{
    uint64_t deadline_ns = time_after_ns(10 * NS_PER_MS);

    (void)arg;
    thread_sleep_until(deadline_ns);
    late_ns = MAX(late_ns, time_now_ns() - deadline_ns);
}

static void body_timers_leave(void)
{
    struct vcpu_set one = set_of(2);
    struct thread_options options = { .name = "sleeper", .priority = 5, .affinity = &one };
    struct thread *all[5];
    struct vcpu_set now;

    sim_await_vcpus();
    late_ns = 0;
    for (unsigned int i = 0; i < 5; i++)
        all[i] = start_with(&options, sleep_there, NULL);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    sim_vcpu_down(1);
    thread_affinity(all[0], &now);
    CHECK_EQ(now.bits[0], ~0UL); /* it may run everywhere now */
    for (unsigned int i = 0; i < 5; i++)
        sim_join(all[i]);
    CHECK_LT(late_ns, NS_PER_MS);
    sim_vcpu_up(1);
    for (unsigned int i = 0; i < 5; i++) /* its timer works again */
        all[i] = start_with(&options, sleep_there, NULL);
    for (unsigned int i = 0; i < 5; i++)
        sim_join(all[i]);
    CHECK_LT(late_ns, NS_PER_MS);
}

TEST(timers_leave_with_the_vcpu)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 2 + seed % 3, body_timers_leave))
            return;
    }
}

/* The caller itself is on the vCPU that goes. */
static void body_leave_own(void)
{
    struct vcpu_set one = set_of(2), all = set_of(~0UL);

    sim_await_vcpus();
    CHECK_EQ(thread_set_affinity(current_thread(), &one), 0);
    CHECK_EQ(here(), 1);
    CHECK_EQ(thread_set_affinity(current_thread(), &all), 0);
    sim_vcpu_down(1);
    CHECK_EQ(here(), 0);
    CHECK_EQ(thread_set_affinity(current_thread(), &one), -XEN_EINVAL);
}

TEST(own_vcpu_leaves)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 2, body_leave_own))
            return;
    }
}
