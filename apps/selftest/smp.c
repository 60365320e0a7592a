/* SPDX-License-Identifier: MIT
 *
 * Many vCPUs: calls, wake-ups, timers and events reach the vCPU they are for, and none is lost.
 * With one vCPU most of it is skipped.
 */
#include "smp.h"
#include <string.h>
#include "lib/atomic.h"

#define WAKEUPS      1000000 /* in all, from one vCPU to the other */
#define WAKEUPS_MANY 100000  /* among more vCPUs, where each costs a switch of Xen's or two */
#define WAKEUPS_FEW  10000
#define STORM_CALLS  3000 /* per thread */

unsigned int smp_nth_online(unsigned int n)
{
    unsigned int vcpu;

    n %= vcpu_set_count(&vcpus_online);
    vcpu_set_for_each(vcpu, &vcpus_online)
    {
        if (n-- == 0)
            return vcpu;
    }
    return 0;
}

bool smp_is_emulated(void)
{
    struct xenolith_info info;

    return CHECK_EQ(xenolith_get_info(&info), 0) && strcmp(info.guest_type, "pv") != 0;
}

bool smp_thread_on(struct thread **thread, unsigned int vcpu, void (*fn)(void *arg), void *arg)
{
    struct vcpu_set only = { { 0 } };
    struct thread_options options = { .name = "smp",
                                      .priority = PRIORITY_NORMAL,
                                      .affinity = &only };

    vcpu_set_add(&only, vcpu);
    return CHECK_EQ(thread_create_with(thread, &options, fn, arg), 0);
}

void smp_run_everywhere(unsigned int count, void (*fn)(void *arg), void *arg, size_t size)
{
    struct thread *threads[SMP_THREADS_MAX];
    unsigned int made = 0;

    while (made < count &&
           smp_thread_on(&threads[made], smp_nth_online(made), fn, (char *)arg + made * size))
        made++;
    while (made > 0)
        CHECK_EQ(thread_join(threads[--made], time_after_ns(4 * TEST_PATIENCE_NS)), 0);
}

static void note_vcpu(void *arg)
{
    store_once((unsigned int *)arg, this_percpu()->vcpu);
}

TEST(smp_call_runs_on_each_vcpu)
{
    unsigned int vcpu, seen;

    vcpu_set_for_each(vcpu, &vcpus_online)
    {
        seen = MAX_VCPUS;
        CHECK_EQ(smp_call(vcpu, note_vcpu, &seen, true), 0);
        CHECK_EQ(seen, vcpu);
    }
    CHECK_EQ(smp_call(MAX_VCPUS - 1, note_vcpu, &seen, true), -XEN_ENODEV);
    CHECK_EQ(smp_call(MAX_VCPUS, note_vcpu, &seen, true), -XEN_ENODEV);
}

static void count_call(void *arg)
{
    (void)atomic_fetch_add((unsigned int *)arg, 1);
}

TEST(smp_call_all_waits_for_all)
{
    unsigned int online = vcpu_set_count(&vcpus_online), calls = 0;
    struct vcpu_set none = { { 0 } };

    for (unsigned int i = 1; i <= 200; i++) {
        CHECK_EQ(smp_call_all(count_call, &calls, true), online);
        CHECK_EQ(calls, i * online);
    }
    CHECK_EQ(smp_call_many(&none, count_call, &calls, true), 0);
}

struct caller {
    unsigned int *calls, seed;
};

static void call_at_random(void *arg)
{
    struct caller *caller = arg;
    uint32_t random = caller->seed;

    for (int i = 0; i < STORM_CALLS; i++) {
        uint32_t r = smp_random(&random);

        if (r % 64 == 0)
            smp_call_all(count_call, &caller->calls[2], r & 128);
        else
            CHECK_EQ(smp_call(smp_nth_online(r >> 8), count_call, &caller->calls[r & 1], r & 1), 0);
        if (r % 64 == 0)
            (void)atomic_fetch_add(&caller->calls[3], vcpu_set_count(&vcpus_online));
        else
            (void)atomic_fetch_add(&caller->calls[3], 1);
    }
}

/* Everybody calls everybody, some waiting: no call is lost or made twice, nobody waits for ever. */
TEST(smp_call_storm)
{
    unsigned int calls[4] = { 0 }, want;
    struct caller callers[8];

    REQUIRE_THREADS(8);
    for (unsigned int i = 0; i < ARRAY_SIZE(callers); i++)
        callers[i] = (struct caller){ calls, i + 1 };
    smp_run_everywhere(ARRAY_SIZE(callers), call_at_random, callers, sizeof(callers[0]));
    want = calls[3];
    for (int wait = 0; wait < 1000 && load_once(&calls[0]) + calls[1] + calls[2] != want; wait++)
        test_sleep_ms(10); /* the last of those nobody waited for */
    CHECK_EQ(calls[0] + calls[1] + calls[2], want);
}

struct relay {
    struct semaphore mine, *next;
    unsigned int turns;
};

static void relay(void *arg)
{
    struct relay *relay = arg;

    for (unsigned int i = 0; i < relay->turns; i++) {
        if (!CHECK_EQ(semaphore_wait(&relay->mine, time_after_ns(TEST_PATIENCE_NS)), 0))
            return;
        semaphore_post(relay->next);
    }
}

/* A ring of threads, neighbours on different vCPUs, each asleep until the one before it wakes it; a
 * few tokens go round. A wake-up that is lost stops one. */
TEST(smp_wakeups_none_lost)
{
    unsigned int wakeups = vcpu_set_count(&vcpus_online) > 2 ? WAKEUPS_MANY : WAKEUPS;
    struct relay ring[SMP_THREADS_MAX];

    REQUIRE_VCPUS(2);
    REQUIRE_THREADS(SMP_THREADS_MAX);
    if (smp_is_emulated())
        wakeups = WAKEUPS_FEW;
    for (unsigned int i = 0; i < SMP_THREADS_MAX; i++) {
        semaphore_init(&ring[i].mine, i % 4 == 0);
        ring[i].next = &ring[(i + 1) % SMP_THREADS_MAX].mine;
        ring[i].turns = wakeups / SMP_THREADS_MAX;
    }
    smp_run_everywhere(SMP_THREADS_MAX, relay, ring, sizeof(ring[0]));
}

struct alarm {
    struct timer timer;
    uint64_t fired_ns;
    unsigned int vcpu;
    struct semaphore rang;
};

static void ring_alarm(void *arg)
{
    struct alarm *alarm = arg;

    alarm->fired_ns = time_now_ns();
    alarm->vcpu = this_percpu()->vcpu;
    semaphore_post(&alarm->rang);
}

static void arm_alarms(void *unused)
{
    struct alarm alarm;

    (void)unused;
    timer_init(&alarm.timer, ring_alarm, &alarm);
    semaphore_init(&alarm.rang, 0);
    for (unsigned int i = 0; i < 50; i++) {
        uint64_t deadline_ns = time_after_ns((i % 5) * NS_PER_MS / 2);
        unsigned int vcpu = thread_vcpu(current_thread());

        timer_arm(&alarm.timer, deadline_ns);
        CHECK_EQ(semaphore_wait(&alarm.rang, time_after_ns(TEST_PATIENCE_NS)), 0);
        CHECK_EQ(alarm.vcpu, vcpu);
        CHECK(alarm.fired_ns >= deadline_ns);
        timer_arm(&alarm.timer, time_after_ns(TEST_PATIENCE_NS));
        CHECK(timer_cancel(&alarm.timer));
    }
}

TEST(smp_timers_on_every_vcpu)
{
    unsigned int vcpus = MIN(vcpu_set_count(&vcpus_online), SMP_THREADS_MAX);

    REQUIRE_THREADS(vcpus);
    smp_run_everywhere(vcpus, arm_alarms, NULL, 0);
}

struct landing {
    unsigned int calls, vcpu;
};

static void land(evtchn_port_t port, void *arg)
{
    struct landing *landing = arg;

    (void)port;
    store_once(&landing->vcpu, this_percpu()->vcpu);
    (void)atomic_fetch_add(&landing->calls, 1);
}

/* A port goes from vCPU to vCPU while its other end fires: it is served where it was sent, and no
 * edge is lost. */
TEST(smp_event_port_moves)
{
    struct landing a = { 0, 0 }, b = { 0, 0 };
    evtchn_port_t offered, bound;
    unsigned int vcpu;

    REQUIRE_EQ(event_alloc_unbound(test_domid(), land, &a, &offered), 0);
    REQUIRE_EQ(event_bind_interdomain(test_domid(), offered, land, &b, &bound), 0);
    for (unsigned int i = 1; i <= 100; i++) {
        vcpu = smp_nth_online(i);
        event_notify(bound); /* perhaps while it moves */
        CHECK_EQ(event_move(offered, vcpu), 0);
        CHECK(test_await(&a.calls, 2 * i - 1) >= 2 * i - 1);
        event_notify(bound);
        if (!CHECK(test_await(&a.calls, 2 * i) >= 2 * i))
            break;
        CHECK_EQ(load_once(&a.vcpu), vcpu);
    }
    CHECK_EQ(event_move(offered, MAX_VCPUS - 1), -XEN_EINVAL);
    event_unbind(bound);
    event_unbind(offered);
}
