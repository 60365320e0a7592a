/* SPDX-License-Identifier: MIT
 *
 * Timers and clocks: the heap against a model, and on the simulated machine.
 */
#include "tests/host/sim.h"

#define TIMERS 64

/* The heap alone: no machine, vCPU 0 with timers of its own. */
static struct timers *alone(void)
{
    percpu_boot.timers = timers_create();
    sim.random = 12345;
    return percpu_boot.timers;
}

static struct timer timers_made[TIMERS];
static bool fired[TIMERS];
static uint64_t last_deadline_ns;

static void fire(void *arg)
{
    struct timer *timer = arg;

    CHECK_GE(timer->deadline_ns, last_deadline_ns);
    CHECK(!fired[timer - timers_made]);
    CHECK(timer->heap == NULL);
    last_deadline_ns = timer->deadline_ns;
    fired[timer - timers_made] = true;
}

static void check_links(const struct timer *timer)
{
    for (const struct timer *child = timer->child; child; child = child->sibling) {
        CHECK_GE(child->deadline_ns, timer->deadline_ns);
        CHECK(child->prev == timer || child->prev->sibling == child);
        check_links(child);
    }
}

/* What the model says: deadline of each armed timer, TIME_NEVER for the others. */
static uint64_t model[TIMERS];

static void run_against_model(struct timers *timers)
{
    last_deadline_ns = 0;
    memset(fired, 0, sizeof(fired));
    timers_run(timers);
    for (unsigned int i = 0; i < TIMERS; i++) {
        CHECK_EQ(fired[i], model[i] <= sim.now_ns);
        if (fired[i])
            model[i] = TIME_NEVER;
    }
}

static void change_against_model(struct timers *timers)
{
    unsigned int i = sim_random(TIMERS);

    switch (sim_random(4)) {
    case 0:
        CHECK_EQ(timer_cancel(&timers_made[i]), model[i] != TIME_NEVER);
        model[i] = TIME_NEVER;
        break;
    case 1:
        sim.now_ns += sim_random(3000);
        run_against_model(timers);
        break;
    default: /* many equal ones, some past, also of armed timers */
        model[i] = sim_random(16) ? sim.now_ns - 500 + sim_random(100) * 100 : TIME_NEVER;
        timer_arm(&timers_made[i], model[i]);
    }
}

TEST(heap_behaves_like_model)
{
    struct timers *timers = alone();

    for (unsigned int i = 0; i < TIMERS; i++) {
        timer_init(&timers_made[i], fire, &timers_made[i]);
        model[i] = TIME_NEVER;
    }
    for (unsigned int step = 0; step < 200000; step++) {
        uint64_t earliest_ns = TIME_NEVER;

        change_against_model(timers);
        for (unsigned int i = 0; i < TIMERS; i++) {
            CHECK_EQ(timers_made[i].heap == timers, model[i] != TIME_NEVER);
            earliest_ns = MIN(earliest_ns, model[i]);
        }
        CHECK_EQ(timers->root ? timers->root->deadline_ns : TIME_NEVER, earliest_ns);
        CHECK(timers->programmed_ns <= earliest_ns); /* unsigned: TIME_NEVER is the last */
        if (timers->root && step % 16 == 0)
            check_links(timers->root);
    }
    sim.now_ns += NS_PER_S;
    run_against_model(timers);
    CHECK(timers->root == NULL);
    kmem_free(timers);
}

static void nothing(void *arg)
{
    (void)arg;
}

TEST(interrupt_is_asked_for_only_when_earlier)
{
    struct timers *timers = alone();
    struct timer a, b;

    timer_init(&a, nothing, NULL);
    timer_init(&b, nothing, NULL);
    timer_arm(&a, sim.now_ns + 1000);
    CHECK_EQ(sim.timer_sets, 1);
    timer_arm(&b, sim.now_ns + 2000);
    CHECK_EQ(sim.timer_sets, 1);
    timer_arm(&b, sim.now_ns + 500);
    CHECK_EQ(sim.timer_sets, 2);
    CHECK(timer_cancel(&b));
    CHECK(!timer_cancel(&b));
    timer_arm(&b, sim.now_ns + 600); /* the interrupt at 500 comes anyhow */
    CHECK_EQ(sim.timer_sets, 2);
    sim.now_ns += 500;
    timers_run(timers);
    CHECK_EQ(sim.timer_sets, 3);
    CHECK_EQ(timers->programmed_ns, sim.now_ns + 100);
    CHECK(timer_cancel(&a));
    CHECK(timer_cancel(&b));
    kmem_free(timers);
}

TEST(deadline_in_centuries_is_kept_from_xen)
{
    struct timers *timers = alone();
    struct timer timer;

    timer_init(&timer, nothing, NULL);
    timer_arm(&timer, TIME_NEVER);
    CHECK(timer.heap == NULL);
    timer_arm(&timer, TIME_NEVER - 1);
    CHECK(timer.heap == timers);
    CHECK_EQ(sim.timer_sets, 0);
    timers_run(timers);
    CHECK_EQ(sim.timer_sets, 0);
    CHECK(timer_cancel(&timer));
    CHECK_EQ(time_after_ns(TIME_NEVER), TIME_NEVER);
    CHECK_EQ(time_after_ns(TIME_NEVER - 1), TIME_NEVER);
    CHECK_EQ(time_after_ns(NS_PER_S), sim.now_ns + NS_PER_S);
    kmem_free(timers);
}

static unsigned int runs;
static struct timer repeating, victim;

static void repeat(void *arg)
{
    (void)arg;
    runs++;
    timer_cancel(&victim);
    timer_arm(&repeating, sim.now_ns + 1000);
}

TEST(function_may_arm_and_cancel)
{
    struct timers *timers = alone();

    timer_init(&repeating, repeat, NULL);
    timer_init(&victim, fire, &victim);
    timer_arm(&repeating, sim.now_ns + 100);
    timer_arm(&victim, sim.now_ns + 200);
    sim.now_ns += 300;
    timers_run(timers); /* both due; the first takes the second away */
    CHECK_EQ(runs, 1);
    CHECK_EQ(sim.timer_sets, 2);
    sim.now_ns += 1000;
    timers_run(timers);
    CHECK_EQ(runs, 2);
    CHECK(timer_cancel(&repeating));
    kmem_free(timers);
}

/* --- on the machine
 * ---------------------------------------------------------------------------------- */

static struct {
    struct timer timer;
    unsigned int fired, cancelled, armed;
} shared[8];

static void note_fired(void *arg)
{
    __atomic_fetch_add((unsigned int *)arg, 1, __ATOMIC_SEQ_CST);
}

/* Each thread arms and cancels its own timers, and moves between vCPUs meanwhile. */
static void arm_and_cancel(void *arg)
{
    unsigned int first = (unsigned long)arg * 2;

    for (unsigned int turn = 0; turn < 40; turn++) {
        unsigned int i = first + turn % 2;

        if (timer_cancel(&shared[i].timer))
            shared[i].cancelled++;
        timer_arm(&shared[i].timer, time_after_ns(sim_random(20 * NS_PER_US)));
        shared[i].armed++;
        if (sim_random(3) == 0)
            thread_sleep_until(time_after_ns(sim_random(20 * NS_PER_US)));
    }
    for (unsigned int i = first; i < first + 2; i++)
        shared[i].cancelled += timer_cancel(&shared[i].timer);
}

static void body_shared_timers(void)
{
    struct thread *all[4];

    memset(shared, 0, sizeof(shared));
    for (unsigned int i = 0; i < ARRAY_SIZE(shared); i++)
        timer_init(&shared[i].timer, note_fired, &shared[i].fired);
    for (unsigned long i = 0; i < 4; i++)
        all[i] = sim_start(PRIORITY_NORMAL, arm_and_cancel, (void *)i);
    for (unsigned int i = 0; i < 4; i++)
        sim_join(all[i]);
    thread_sleep_until(time_after_ns(NS_PER_MS)); /* functions that were about to run have */
    for (unsigned int i = 0; i < ARRAY_SIZE(shared); i++)
        CHECK_EQ(shared[i].armed, shared[i].fired + shared[i].cancelled);
}

TEST(armed_timer_fires_once_or_is_cancelled)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        if (!sim_run(seed, 1 + seed % 4, body_shared_timers))
            return;
    }
}

static void watch_clock(void *arg)
{
    static uint64_t latest_seen_ns;
    uint64_t *worst = arg;

    for (unsigned int i = 0; i < 300; i++) {
        uint64_t before_ns = load_once(&latest_seen_ns); /* somebody was told this already */
        uint64_t now_ns = time_now_ns();

        if (now_ns < before_ns)
            *worst = MAX(*worst, before_ns - now_ns);
        /* No point in between: the clock was read before this store, by the machine's order. */
        latest_seen_ns = MAX(latest_seen_ns, now_ns);
        if (i % 50 == 0)
            thread_yield();
    }
}

static void body_clock(void)
{
    uint64_t worst = 0;
    struct thread *all[4];

    for (unsigned int i = 0; i < 4; i++)
        all[i] = sim_start(PRIORITY_NORMAL, watch_clock, &worst);
    for (unsigned int i = 0; i < 4; i++)
        sim_join(all[i]);
    CHECK_EQ(worst, 0);
}

TEST(clock_never_goes_back_on_any_vcpu)
{
    sim.step_ns = 20; /* less than the vCPUs' clocks differ */
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 2 + seed % 3, body_clock))
            return;
    }
}

static uint64_t woken_ns[6];

static void sleep_and_note(void *arg)
{
    uint64_t *deadline_ns = arg;

    thread_sleep_until(*deadline_ns);
    CHECK_GE(time_now_ns(), *deadline_ns);
    CHECK_LT(time_now_ns(), *deadline_ns + NS_PER_MS);
}

static void body_sleepers(void)
{
    struct thread *all[6];

    for (unsigned int i = 0; i < 6; i++) {
        woken_ns[i] = time_after_ns(sim_random(5 * NS_PER_MS));
        all[i] = sim_start(PRIORITY_NORMAL, sleep_and_note, &woken_ns[i]);
    }
    for (unsigned int i = 0; i < 6; i++)
        sim_join(all[i]);
}

TEST(sleep_ends_on_time)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        if (!sim_run(seed, 1 + seed % 4, body_sleepers))
            return;
    }
}

/* --- wall clock
 * ---------------------------------------------------------------------------------------- */

static struct shared_info shared_page;

static struct shared_info *page(void)
{
    return &shared_page;
}

/* Xen writes a new wall clock, one field per point; odd while it does. */
static void xen_writes(void)
{
    static unsigned int step;
    static uint64_t sec = (1ULL << 32) - 8;

    switch (step++ % 40) {
    case 0:
        shared_page.wc_version++;
        break;
    case 1:
        sec++;
        shared_page.wc_sec = (uint32_t)sec;
        break;
    case 2:
        shared_page.wc_sec_hi = sec >> 32;
        break;
    case 3:
        shared_page.wc_nsec = sec % 1000; /* belongs to this second */
        break;
    case 4:
        shared_page.wc_version++;
        break;
    }
}

TEST(wall_clock_is_read_whole)
{
    struct timers *timers = alone();

    shared_page.wc_sec = 1700000000;
    sim.now_ns = 5;
    wall_clock = page;
    CHECK_EQ(time_wall_ns(), 1700000000 * NS_PER_S + 5);
    shared_page.wc_sec_hi = 1;
    CHECK_EQ(time_wall_ns(), (1700000000 + (1ULL << 32)) * NS_PER_S + 5);
    shared_page.wc_sec = UINT32_MAX - 8;
    shared_page.wc_sec_hi = 0;
    shared_page.wc_nsec = (UINT32_MAX - 8) % 1000;
    sim.on_point = xen_writes;
    for (unsigned int i = 0; i < 1000; i++) {
        uint64_t wall_ns = time_wall_ns() - 5, sec = wall_ns / NS_PER_S;

        CHECK_EQ(wall_ns % NS_PER_S, sec % 1000);
        CHECK_GE(sec, (1ULL << 32) - 9);
        CHECK_LT(sec, (1ULL << 32) + 2000);
    }
    kmem_free(timers);
}
