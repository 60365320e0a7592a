/* SPDX-License-Identifier: MIT
 *
 * Mutexes, semaphores, condition variables on the simulated machine.
 */
#include "tests/host/sim.h"

static struct mutex mutex = MUTEX_INIT(mutex);
static struct mutex nested = MUTEX_INIT_RECURSIVE(nested);
static const struct thread *inside;
static unsigned int entered, gave_up;

/* In the critical section of `mutex`. */
static void alone(void)
{
    CHECK(mutex_is_mine(&mutex));
    CHECK(inside == NULL);
    inside = current_thread();
    sim_work(sim_random(12));
    if (sim_random(8) == 0)
        thread_sleep_until(time_after_ns(sim_random(5 * NS_PER_US)));
    CHECK(inside == current_thread());
    inside = NULL;
    entered++;
}

static bool take(void)
{
    switch (sim_random(3)) {
    case 0:
        return mutex_lock_until(&mutex, time_after_ns(sim_random(40 * NS_PER_US))) == 0;
    case 1:
        return mutex_trylock(&mutex) == 0;
    default:
        mutex_lock(&mutex);
        return true;
    }
}

static void enter_often(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 20; i++) {
        if (take()) {
            alone();
            mutex_unlock(&mutex);
        } else {
            __atomic_fetch_add(&gave_up, 1, __ATOMIC_SEQ_CST);
        }
    }
}

static uint64_t total_gave_up;

static void body_exclusion(void)
{
    struct thread *all[5];

    entered = gave_up = 0;
    for (unsigned int i = 0; i < 5; i++)
        all[i] = sim_start(sim_random(PRIORITY_IDLE), enter_often, NULL);
    for (unsigned int i = 0; i < 5; i++)
        sim_join(all[i]);
    CHECK_EQ(entered + gave_up, 100);
    CHECK_EQ(mutex.word & ~MUTEX_BITS, 0);
    CHECK(list_empty(&mutex.q.sleepers));
    CHECK_EQ(mutex_trylock(&mutex), 0);
    mutex_unlock(&mutex);
    total_gave_up += gave_up;
}

TEST(one_thread_is_inside)
{
    for (uint64_t seed = 0; seed < 1500; seed++) {
        if (!sim_run(seed, 1 + seed % 5, body_exclusion))
            return;
    }
    CHECK_GT(total_gave_up, 1000);
}

static void body_uncontended(void)
{
    uint64_t switches = this_percpu()->runq->switches;

    mutex_lock(&mutex);
    CHECK_EQ(mutex.word, (uintptr_t)current_thread());
    CHECK_ENDS_DOMAIN(mutex_lock(&mutex)); /* not recursive */
    CHECK_EQ(mutex_trylock(&mutex), -XEN_EBUSY);
    mutex_unlock(&mutex);
    CHECK_EQ(mutex.word, 0);
    CHECK_ENDS_DOMAIN(mutex_unlock(&mutex)); /* not ours */

    mutex_lock(&nested);
    mutex_lock(&nested);
    CHECK_EQ(mutex_trylock(&nested), 0);
    mutex_unlock(&nested);
    mutex_unlock(&nested);
    CHECK(mutex_is_mine(&nested));
    mutex_unlock(&nested);
    CHECK_EQ(nested.word, 0);
    CHECK_EQ(this_percpu()->runq->switches, switches);
}

TEST(uncontended_mutex)
{
    sim_run(1, 1, body_uncontended);
}

static bool stop;
static unsigned int hog_turns;

/* Holds the mutex all but a moment, so a woken waiter nearly always comes too late. */
static void hog(void *arg)
{
    (void)arg;
    while (!load_once(&stop)) {
        mutex_lock(&mutex);
        hog_turns++;
        sim_work(30);
        if (sim_random(4) == 0)
            thread_yield();
        mutex_unlock(&mutex);
    }
}

static void body_hog(void)
{
    struct thread *thread = sim_start(PRIORITY_NORMAL, hog, NULL);
    unsigned int worst = 0;

    stop = false;
    for (unsigned int i = 0; i < 20; i++) {
        unsigned int before = hog_turns;

        mutex_lock(&mutex);
        worst = MAX(worst, hog_turns - before);
        mutex_unlock(&mutex);
        thread_sleep_until(time_after_ns(50 * NS_PER_US));
    }
    store_once(&stop, true);
    sim_join(thread);
    /* Until we are in the queue the hog may have turns as long as its slice is; from then on two.
     */
    CHECK_LT(worst, 20 * NS_PER_MS / (30 * sim.step_ns));
}

TEST(hog_starves_nobody)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 1 + seed % 3, body_hog))
            return;
    }
}

/* A mutex that was overtaken once is handed over: the queue's order holds from then on. */
static unsigned int place[4], next_place;

static void queue_up(void *arg)
{
    mutex_lock(&mutex);
    *(unsigned int *)arg = next_place++;
    mutex_unlock(&mutex);
}

static void body_queue(void)
{
    struct thread *all[4];

    next_place = 0;
    mutex_lock(&mutex);
    for (unsigned int i = 0; i < 4; i++) {
        all[i] = sim_start(PRIORITY_NORMAL, queue_up, &place[i]);
        thread_sleep_until(time_after_ns(NS_PER_MS));
    }
    for (unsigned int i = 0; i < 3; i++) { /* overtake the first */
        mutex_unlock(&mutex);
        mutex_lock(&mutex);
        thread_sleep_until(time_after_ns(NS_PER_MS));
    }
    mutex_unlock(&mutex);
    for (unsigned int i = 0; i < 4; i++) {
        sim_join(all[i]);
        CHECK_EQ(place[i], i);
    }
}

TEST(waiters_get_it_in_order)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (!sim_run(seed, 1, body_queue))
            return;
    }
}

/* --- semaphores
 * ---------------------------------------------------------------------------------------- */

static struct semaphore sem = SEMAPHORE_INIT(sem, 0);
static unsigned int got, posted;

static void wait_often(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 20; i++) {
        if (semaphore_wait(&sem, time_after_ns(sim_random(40 * NS_PER_US))) == 0)
            __atomic_fetch_add(&got, 1, __ATOMIC_SEQ_CST);
    }
}

static void device_posts(unsigned int vcpu)
{
    (void)vcpu;
    __atomic_fetch_add(&posted, 1, __ATOMIC_SEQ_CST);
    semaphore_post(&sem);
}

static void body_semaphore(void)
{
    struct thread *all[4];

    semaphore_init(&sem, 3);
    got = 0;
    posted = 3;
    sim.device = device_posts;
    sim.device_rate = 40;
    for (unsigned int i = 0; i < 4; i++)
        all[i] = sim_start(PRIORITY_NORMAL, wait_often, NULL);
    for (unsigned int i = 0; i < 4; i++)
        sim_join(all[i]);
    sim_device_stop();
    CHECK_GT(got, 3);
    CHECK_EQ(got + sem.count, posted);
}

TEST(semaphore_keeps_count)
{
    for (uint64_t seed = 0; seed < 800; seed++) {
        if (!sim_run(seed, 1 + seed % 4, body_semaphore))
            return;
    }
}

/* --- condition variables
 * ------------------------------------------------------------------------------- */

static struct condition changed = CONDITION_INIT(changed);
static unsigned int items, done;

static void use_items(void *arg)
{
    struct mutex *lock = arg;

    for (unsigned int i = 0; i < 20; i++) {
        mutex_lock(lock);
        if (lock->recursive)
            mutex_lock(lock);
        while (items == 0)
            CHECK_EQ(condition_wait(&changed, lock, TIME_NEVER), 0);
        CHECK(mutex_is_mine(lock));
        CHECK_EQ(lock->depth, lock->recursive);
        items--;
        done++;
        if (lock->recursive)
            mutex_unlock(lock);
        mutex_unlock(lock);
    }
}

static void make_items(void *arg)
{
    struct mutex *lock = arg;

    for (unsigned int i = 0; i < 20; i++) {
        bool inside_lock = sim_random(2);

        mutex_lock(lock);
        items++;
        if (inside_lock)
            condition_signal(&changed);
        mutex_unlock(lock);
        if (!inside_lock)
            condition_signal(&changed);
    }
}

static void conditions_with(struct mutex *lock)
{
    struct thread *all[6];

    items = done = 0;
    for (unsigned int i = 0; i < 6; i++)
        all[i] = sim_start(PRIORITY_NORMAL, i % 2 ? use_items : make_items, lock);
    for (unsigned int i = 0; i < 6; i++)
        sim_join(all[i]);
    CHECK_EQ(items, 0);
    CHECK_EQ(done, 60);
    mutex_lock(lock);
    CHECK_EQ(condition_wait(&changed, lock, time_after_ns(10 * NS_PER_US)), -XEN_ETIMEDOUT);
    CHECK(mutex_is_mine(lock));
    mutex_unlock(lock);
}

static void body_condition(void)
{
    conditions_with(&mutex);
    conditions_with(&nested);
}

TEST(condition_loses_nothing)
{
    for (uint64_t seed = 0; seed < 500; seed++) {
        if (!sim_run(seed, 1 + seed % 4, body_condition))
            return;
    }
}

static void wait_for_go(void *arg)
{
    mutex_lock(&mutex);
    while (!*(bool *)arg)
        condition_wait(&changed, &mutex, TIME_NEVER);
    mutex_unlock(&mutex);
}

static void body_broadcast(void)
{
    struct thread *all[5];
    bool go = false;

    for (unsigned int i = 0; i < 5; i++)
        all[i] = sim_start(PRIORITY_NORMAL, wait_for_go, &go);
    sim_work(sim_random(300));
    mutex_lock(&mutex);
    go = true;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
    for (unsigned int i = 0; i < 5; i++)
        sim_join(all[i]);
}

TEST(broadcast_wakes_all)
{
    for (uint64_t seed = 0; seed < 500; seed++) {
        if (!sim_run(seed, 1 + seed % 4, body_broadcast))
            return;
    }
}
