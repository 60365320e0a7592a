/* SPDX-License-Identifier: MIT
 *
 * The scheduler and the life of threads, on the simulated machine.
 */
#include "tests/host/sim.h"

/* --- a thread's life
 * ------------------------------------------------------------------------------- */

static unsigned int counter;

static void count_one(void *arg)
{
    (void)arg;
    sim_point();
    __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
}

static void body_create_join(void)
{
    struct thread *all[6];

    counter = 0;
    for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
        all[i] = sim_start(sim_random(PRIORITIES), count_one, NULL);
    for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
        sim_join(all[i]);
    CHECK_EQ(counter, ARRAY_SIZE(all));
    CHECK_EQ(thread_count(), 1 + sim.vcpus); /* main and the idle threads */
}

TEST(create_join_all_freed)
{
    for (uint64_t seed = 0; seed < 2000; seed++) {
        if (!sim_run(seed, 1 + seed % 5, body_create_join))
            return;
    }
}

/* A tree of threads; each node detaches or joins its children, at its ease or at once. */
static void grow(void *arg)
{
    unsigned long depth = (unsigned long)arg;
    struct thread *child[2];

    __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
    if (depth == 0)
        return;
    for (unsigned int i = 0; i < 2; i++) {
        child[i] = sim_start(PRIORITY_NORMAL, grow, (void *)(depth - 1));
        sim_work(sim_random(20));
    }
    for (unsigned int i = 0; i < 2; i++) {
        if (sim_random(2))
            thread_detach(child[i]);
        else
            sim_join(child[i]);
    }
}

static void body_tree(void)
{
    counter = 0;
    grow((void *)3UL);
    while (thread_count() > 1 + sim.vcpus)
        thread_sleep_until(time_after_ns(50 * NS_PER_US));
    thread_sleep_until(time_after_ns(NS_PER_MS)); /* the last one's memory goes back */
    CHECK_EQ(counter, 15);
}

TEST(detach_and_join_mixed_all_freed)
{
    for (uint64_t seed = 0; seed < 1500; seed++) {
        if (!sim_run(seed, 1 + seed % 5, body_tree))
            return;
    }
}

static void sleep_long(void *arg)
{
    (void)arg;
    thread_sleep_until(time_after_ns(5 * NS_PER_MS));
}

static void body_join_deadline(void)
{
    struct thread *thread = sim_start(PRIORITY_NORMAL, sleep_long, NULL);

    CHECK_EQ(thread_join(thread, time_after_ns(NS_PER_MS)), -XEN_ETIMEDOUT);
    CHECK_EQ(thread_join(thread, time_now_ns()), -XEN_ETIMEDOUT);
    CHECK_EQ(thread_join(thread, time_after_ns(100 * NS_PER_MS)), 0);
    thread = sim_start(PRIORITY_HIGH, count_one, NULL);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    CHECK_EQ(thread_join(thread, 0), 0); /* ended already: no need to wait */
}

TEST(join_deadline_passes)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        sim_run(seed, 1 + seed % 3, body_join_deadline);
}

static void body_no_memory(void)
{
    struct thread *thread;
    unsigned long live = fake_alloc_live();
    int rc = -XEN_ENOMEM;
    long allowed;

    for (allowed = 0; rc; allowed++) {
        fake_alloc_fail_after(allowed);
        rc = thread_create(&thread, "greedy", THREAD_STACK_ORDER, PRIORITY_NORMAL, count_one, NULL);
        fake_alloc_fail_after(-1);
        if (rc) {
            CHECK_EQ(rc, -XEN_ENOMEM);
            CHECK_EQ(fake_alloc_live(), live);
        }
    }
    CHECK_GT(allowed, 1);
    sim_join(thread);
}

TEST(create_without_memory)
{
    sim_run(1, 1, body_no_memory);
}

static void body_cache(void)
{
    struct thread *many[12];
    unsigned long allocs, live;

    sim_join(sim_start(PRIORITY_NORMAL, count_one, NULL));
    allocs = fake_allocs();
    for (unsigned int i = 0; i < 50; i++)
        sim_join(sim_start(PRIORITY_NORMAL, count_one, NULL));
    CHECK_EQ(fake_allocs(), allocs);
    live = fake_alloc_live();
    for (unsigned int i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = sim_start(PRIORITY_NORMAL, count_one, NULL);
    for (unsigned int i = 0; i < ARRAY_SIZE(many); i++)
        sim_join(many[i]);
    CHECK_LE(fake_alloc_live(), live + 2 * CACHED_MAX);
}

TEST(create_join_allocates_once)
{
    sim_run(1, 1, body_cache);
    sim_run(2, 3, body_cache);
}

static void look_at_self(void *arg)
{
    struct thread *self = current_thread();
    unsigned long bottom, top, here = (unsigned long)__builtin_frame_address(0);

    (void)arg;
    CHECK_STR(thread_name(self), "a-name-too-long");
    thread_stack_bounds(self, &bottom, &top);
    CHECK(here > bottom && here < top);
    CHECK(thread_of_guard(bottom - 1) == self);
    CHECK(thread_of_guard(bottom - PAGE_SIZE) == self);
    CHECK(thread_of_guard(bottom) != self);
    CHECK(thread_of_guard(bottom - PAGE_SIZE - 1) != self);
    CHECK(thread_private(self) == NULL);
    thread_set_private(self, &counter);
    CHECK(thread_private(self) == &counter);
}

static unsigned int seen[4];

static void see(const struct thread *thread, const char *state, const unsigned long *frame)
{
    CHECK(thread_name(thread)[0] != 0);
    seen[0]++;
    seen[1] += strcmp(state, "running") == 0;
    seen[2] += strcmp(state, "sleeping") == 0;
    seen[3] += frame != NULL;
}

static void body_reports(void)
{
    struct thread *thread, *sleeper = sim_start(PRIORITY_HIGH, sleep_long, NULL);

    CHECK(thread_of_guard(0) == NULL);
    for (unsigned int i = 0; i < 3; i++) { /* also in a cached thread */
        thread_create(&thread, "a-name-too-long-for-us", THREAD_STACK_ORDER, PRIORITY_NORMAL,
                      look_at_self, NULL);
        sim_join(thread);
    }
    memset(seen, 0, sizeof(seen));
    sched_each_thread(see);
    CHECK_EQ(seen[0], 3); /* main, idle, sleeper */
    CHECK_EQ(seen[1], 1);
    CHECK_EQ(seen[2], 1);
    CHECK_EQ(seen[3], 2);
    sim_join(sleeper);
    CHECK_STR(thread_name(NULL), "none");
}

TEST(reports_know_all_threads)
{
    sim_run(1, 1, body_reports);
}

static void boot_waits(void)
{
    uint64_t start_ns = time_now_ns();

    thread_sleep_until(start_ns + NS_PER_MS);
    CHECK_GE(time_now_ns(), start_ns + NS_PER_MS);
    sim_join(sim_start(PRIORITY_LOW, count_one, NULL));
    sim_join(sim_start(PRIORITY_NORMAL, sleep_long, NULL));
}

TEST(boot_thread_sleeps_before_idle)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        sim.at_boot = boot_waits;
        if (!sim_run(seed, 1, body_create_join))
            return;
    }
}

static void body_join_self(void)
{
    CHECK_ENDS_DOMAIN(thread_join(current_thread(), TIME_NEVER));
}

TEST(join_self_panics)
{
    sim_run(1, 1, body_join_self);
}

/* --- who runs
 * -------------------------------------------------------------------------------------- */

static char order[64];

static void note_and_yield(void *arg)
{
    for (unsigned int i = 0; i < 4; i++) {
        strncat(order, arg, 1);
        thread_yield();
    }
}

static void body_yield(void)
{
    struct thread *all[3];
    char names[] = "abc";

    order[0] = 0;
    for (unsigned int i = 0; i < 3; i++)
        all[i] = sim_start(PRIORITY_NORMAL, note_and_yield, &names[i]);
    for (unsigned int i = 0; i < 3; i++)
        sim_join(all[i]);
    CHECK_STR(order, "abcabcabcabc");
}

TEST(yield_goes_round)
{
    sim.step_ns = 10;
    for (uint64_t seed = 0; seed < 50; seed++)
        sim_run(seed, 1, body_yield);
}

static struct signal signal = SIGNAL_INIT(signal);
static uint64_t woken_at_point;

static void wait_signal(void *arg)
{
    signal_wait(arg, TIME_NEVER);
    woken_at_point = sim.points;
    counter++;
}

static void body_better_thread(void)
{
    struct thread *high = sim_start(PRIORITY_HIGH, wait_signal, &signal), *low, *idle;

    counter = 0;
    low = sim_start(PRIORITY_LOW, count_one, NULL);
    idle = sim_start(PRIORITY_IDLE, count_one, NULL);
    sim_work(50000);
    CHECK_EQ(counter, 0);
    signal_raise(&signal);
    CHECK_EQ(counter, 1); /* ran before we got on */
    thread_yield();
    CHECK_EQ(counter, 1);
    thread_sleep_until(time_after_ns(NS_PER_MS));
    CHECK_EQ(counter, 3);
    sim_join(high);
    sim_join(low);
    sim_join(idle);
}

TEST(better_thread_runs_at_once)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        sim_run(seed, 1, body_better_thread);
}

static uint64_t raised_at_point;

static void device_raise(unsigned int vcpu)
{
    (void)vcpu;
    if (raised_at_point == 0) {
        raised_at_point = sim.points;
        signal_raise(&signal);
    }
}

static void body_upcall_wakes(void)
{
    struct thread *high = sim_start(PRIORITY_HIGH, wait_signal, &signal);

    raised_at_point = woken_at_point = 0;
    sim.device = device_raise;
    sim.device_rate = 100;
    while (raised_at_point == 0)
        sim_point();
    sim_point();
    CHECK_NE(woken_at_point, 0);
    CHECK_LT(woken_at_point - raised_at_point, 100);
    sim_device_stop();
    sim_join(high);
}

TEST(upcall_wakes_better_thread)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        sim_run(seed, 1, body_upcall_wakes);
}

static void body_preempt_off(void)
{
    struct thread *high = sim_start(PRIORITY_HIGH, wait_signal, &signal);
    struct thread *equal;

    counter = 0;
    CHECK(may_sleep());
    preempt_disable();
    preempt_disable();
    CHECK(!may_sleep());
    equal = sim_start(PRIORITY_NORMAL, count_one, NULL);
    signal_raise(&signal);
    sim_work(100000); /* several slices */
    CHECK_EQ(counter, 0);
    preempt_enable();
    sim_work(1000);
    CHECK_EQ(counter, 0);
    preempt_enable();
    CHECK_GE(counter, 1);
    upcalls_disable();
    CHECK(!may_sleep());
    upcalls_enable();
    sim_join(high);
    sim_join(equal);
}

TEST(preempt_off_keeps_the_vcpu)
{
    for (uint64_t seed = 0; seed < 10; seed++)
        sim_run(seed, 1, body_preempt_off);
}

static void body_sleep_forbidden(void)
{
    preempt_disable();
    CHECK_ENDS_DOMAIN(thread_sleep_until(time_after_ns(NS_PER_MS)));
}

TEST(sleep_with_preemption_off_panics)
{
    sim_run(1, 1, body_sleep_forbidden);
}

static bool stop;
static unsigned int share[4], vcpus_used;

static void busy(void *arg)
{
    unsigned int *mine = arg;

    while (!stop) {
        sim_point();
        ++*mine;
        vcpus_used |= 1U << this_percpu()->vcpu;
    }
}

static void body_shares(void)
{
    struct thread *all[4];

    stop = false;
    vcpus_used = 0;
    memset(share, 0, sizeof(share));
    for (unsigned int i = 0; i < 4; i++)
        all[i] = sim_start(PRIORITY_NORMAL, busy, &share[i]);
    thread_sleep_until(time_after_ns(4000 * NS_PER_MS));
    stop = true;
    for (unsigned int i = 0; i < 4; i++)
        sim_join(all[i]);
}

TEST(slices_share_a_vcpu)
{
    sim.step_ns = 50 * NS_PER_US;
    for (uint64_t seed = 0; seed < 5; seed++) {
        if (!sim_run(seed, 1, body_shares))
            return;
        for (unsigned int i = 0; i < 4; i++) {
            CHECK_GT(share[i] * 4 * 10, (share[0] + share[1] + share[2] + share[3]) * 9);
            CHECK_LT(share[i] * 4 * 10, (share[0] + share[1] + share[2] + share[3]) * 11);
        }
    }
}

TEST(busy_threads_spread_over_vcpus)
{
    sim.step_ns = 50 * NS_PER_US;
    for (uint64_t seed = 0; seed < 12; seed++) {
        unsigned int vcpus = 2 + seed % 3;

        if (!sim_run(seed, vcpus, body_shares))
            return;
        CHECK_EQ(vcpus_used, (1U << vcpus) - 1);
        for (unsigned int i = 0; i < 4; i++)
            CHECK_GT(share[i] * 10, share[0] + share[1] + share[2] + share[3]);
    }
}

static void body_idle_vcpu_helps(void)
{
    for (unsigned int round = 0; round < 20; round++) {
        struct thread *thread;

        counter = 0;
        sim_work(sim_random(40)); /* the other vCPU is about to look for work, or has, or blocks */
        preempt_disable();        /* this vCPU is ours */
        thread = sim_start(PRIORITY_NORMAL, count_one, NULL);
        for (unsigned int i = 0; i < 3000 && !load_once(&counter); i++)
            ;
        CHECK_EQ(counter, 1);
        preempt_enable();
        sim_join(thread);
    }
}

TEST(idle_vcpu_takes_work)
{
    for (uint64_t seed = 0; seed < 500; seed++) {
        if (!sim_run(seed, 2 + seed % 3, body_idle_vcpu_helps))
            return;
    }
}

/* --- what it costs
 * ----------------------------------------------------------------------------------- */

static void body_tickless(void)
{
    uint64_t until_ns = time_now_ns() + 200 * NS_PER_MS;
    struct sched_stats before, after;
    unsigned int sets = sim.timer_sets;

    while (time_now_ns() < until_ns)
        sim_point();
    CHECK_EQ(sim.timer_sets, sets); /* alone: no tick */

    sched_get_stats(&before);
    thread_sleep_until(time_after_ns(100 * NS_PER_MS));
    sched_get_stats(&after);
    CHECK_LE(sim.timer_sets, sets + 2); /* 2: the vCPU's clock is a little behind the timer's */
    CHECK_GE(after.idle_ns - before.idle_ns, 99 * NS_PER_MS);
    CHECK_EQ(after.switches - before.switches, 2);
    CHECK_EQ(after.threads, 2);
}

TEST(alone_there_is_no_tick)
{
    sim.step_ns = 10 * NS_PER_US;
    for (uint64_t seed = 0; seed < 20; seed++)
        sim_run(seed, 1, body_tickless);
}

static struct semaphore ping = SEMAPHORE_INIT(ping, 0), pong = SEMAPHORE_INIT(pong, 0);

static void echo_pings(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 300; i++) {
        semaphore_wait(&ping, TIME_NEVER);
        semaphore_post(&pong);
    }
}

static void body_ping_pong(void)
{
    struct thread *other = sim_start(PRIORITY_NORMAL, echo_pings, NULL);
    unsigned int sets, blocks;
    struct sched_stats before, after;

    thread_yield();
    sched_get_stats(&before);
    sets = sim.timer_sets;
    blocks = sim.blocks;
    for (unsigned int i = 0; i < 300; i++) {
        semaphore_post(&ping);
        semaphore_wait(&pong, TIME_NEVER);
    }
    sched_get_stats(&after);
    CHECK_GE(after.switches - before.switches, 599);
    CHECK_LE(after.switches - before.switches, 610);
    CHECK_LE(sim.timer_sets - sets, 1);
    CHECK_EQ(sim.blocks, blocks);
    sim_join(other);
}

TEST(voluntary_switch_makes_no_hypercall)
{
    sim.step_ns = 10;
    for (uint64_t seed = 0; seed < 20; seed++)
        sim_run(seed, 1, body_ping_pong);
}
