/* SPDX-License-Identifier: MIT
 *
 * POSIX locks: mutexes of all types, condition variables, read-write locks, barriers, spinlocks,
 * semaphores.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include "lib/atomic.h"
#include "selftest.h"

static struct timespec from_now(clockid_t clock, unsigned int ms)
{
    struct timespec time;

    clock_gettime(clock, &time);
    time.tv_nsec += (long)ms * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void *try_and_fail(void *arg)
{
    struct timespec soon = from_now(CLOCK_REALTIME, 5), wrong = { .tv_nsec = 1000000000 };
    struct timespec later = from_now(CLOCK_MONOTONIC, 5);

    CHECK_EQ(pthread_mutex_trylock(arg), EBUSY);
    CHECK_EQ(pthread_mutex_timedlock(arg, &soon), ETIMEDOUT);
    CHECK_EQ(pthread_mutex_timedlock(arg, &wrong), EINVAL);
    CHECK_EQ(pthread_mutex_clocklock(arg, CLOCK_MONOTONIC, &later), ETIMEDOUT);
    return NULL;
}

static void *unlock(void *arg)
{
    return (void *)(intptr_t)pthread_mutex_unlock(arg);
}

static void check_type(int type, int again)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex;
    pthread_t thread;
    void *result;

    pthread_mutexattr_init(&attr);
    CHECK_EQ(pthread_mutexattr_settype(&attr, type), 0);
    REQUIRE_EQ(pthread_mutex_init(&mutex, &attr), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
    CHECK_EQ(pthread_mutex_lock(&mutex), 0);
    CHECK_EQ(pthread_mutex_destroy(&mutex), EBUSY);
    if (type != PTHREAD_MUTEX_NORMAL)
        CHECK_EQ(pthread_mutex_lock(&mutex), again);
    REQUIRE_EQ(pthread_create(&thread, NULL, try_and_fail, &mutex), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, unlock, &mutex), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((intptr_t)result, type == PTHREAD_MUTEX_NORMAL ? 0 : EPERM);
    if (again == 0)
        CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    if (type != PTHREAD_MUTEX_NORMAL)
        CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
    CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex), EINVAL);
}

TEST(pthread_mutex_types)
{
    check_type(PTHREAD_MUTEX_NORMAL, 1);
    check_type(PTHREAD_MUTEX_ERRORCHECK, EDEADLK);
    check_type(PTHREAD_MUTEX_RECURSIVE, 0);
}

#define TURNS 4000

static pthread_mutex_t turn_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_cond = PTHREAD_COND_INITIALIZER;
static unsigned int turn; /* held: turn_mutex */

static void *take_turns(void *arg)
{
    unsigned int mine = (unsigned int)(uintptr_t)arg;

    for (int i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&turn_mutex);
        while (turn != mine)
            pthread_cond_wait(&turn_cond, &turn_mutex);
        turn = 1 - mine;
        pthread_cond_signal(&turn_cond);
        pthread_mutex_unlock(&turn_mutex);
    }
    return NULL;
}

TEST(pthread_cond_loses_no_signal)
{
    pthread_t threads[2];

    REQUIRE_THREADS(2);
    turn = 0;
    for (uintptr_t i = 0; i < 2; i++)
        REQUIRE_EQ(pthread_create(&threads[i], NULL, take_turns, (void *)i), 0);
    for (size_t i = 0; i < 2; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(turn, 0);
    CHECK_EQ(pthread_cond_destroy(&turn_cond), 0);
}

TEST(pthread_cond_times_out_on_its_clock)
{
    pthread_condattr_t attr;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    struct timespec soon = from_now(CLOCK_MONOTONIC, 10), now;

    pthread_condattr_init(&attr);
    CHECK_EQ(pthread_condattr_setclock(&attr, CLOCK_PROCESS_CPUTIME_ID), EINVAL);
    CHECK_EQ(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), 0);
    REQUIRE_EQ(pthread_cond_init(&cond, &attr), 0);
    pthread_mutex_lock(&mutex);
    CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &soon), ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &now);
    CHECK(now.tv_sec > soon.tv_sec || now.tv_nsec >= soon.tv_nsec);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(pthread_cond_destroy(&cond), 0);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static unsigned int stop, written, readers;

static void *read_all_the_time(void *unused)
{
    (void)unused;
    while (!load_once(&stop)) {
        CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
        atomic_fetch_add(&readers, 1);
        thread_yield(); /* with two of these it is never free by itself */
        CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0); /* though a writer waits */
        CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
        atomic_fetch_sub(&readers, 1);
        CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
    }
    return NULL;
}

static void *write_some(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(pthread_rwlock_wrlock(&rwlock), 0);
        CHECK_EQ(load_once(&readers), 0);
        CHECK_EQ(pthread_rwlock_tryrdlock(&rwlock), EBUSY);
        CHECK_EQ(pthread_rwlock_wrlock(&rwlock), EDEADLK);
        written++;
        CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
    }
    store_once(&stop, 1);
    return NULL;
}

TEST(pthread_rwlock_does_not_starve_writers)
{
    struct timespec soon;
    pthread_t threads[3];

    REQUIRE_THREADS(3);
    stop = written = 0;
    for (size_t i = 0; i < 2; i++)
        REQUIRE_EQ(pthread_create(&threads[i], NULL, read_all_the_time, NULL), 0);
    REQUIRE_EQ(pthread_create(&threads[2], NULL, write_some, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(written, 100);
    CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
    soon = from_now(CLOCK_REALTIME, 5);
    CHECK_EQ(pthread_rwlock_timedwrlock(&rwlock, &soon), ETIMEDOUT);
    CHECK_EQ(pthread_rwlock_trywrlock(&rwlock), EBUSY);
    CHECK_EQ(pthread_rwlock_tryrdlock(&rwlock), 0);
    CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
    CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
    CHECK_EQ(pthread_rwlock_unlock(&rwlock), EINVAL);
    CHECK_EQ(pthread_rwlock_destroy(&rwlock), 0);
}

static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static unsigned int arrived, serials, sum;

static void *meet(void *unused)
{
    (void)unused;
    for (unsigned int round = 1; round <= 200; round++) {
        int rc;

        atomic_fetch_add(&arrived, 1);
        rc = pthread_barrier_wait(&barrier);
        CHECK(load_once(&arrived) >= 3 * round);
        if (rc == PTHREAD_BARRIER_SERIAL_THREAD)
            atomic_fetch_add(&serials, 1);
        else
            CHECK_EQ(rc, 0);
        CHECK_EQ(pthread_spin_lock(&spin), 0);
        store_once(&sum, load_once(&sum) + 1);
        CHECK_EQ(pthread_spin_unlock(&spin), 0);
    }
    return NULL;
}

TEST(pthread_barrier_and_spinlock)
{
    pthread_t threads[3];

    REQUIRE_THREADS(3);
    arrived = serials = sum = 0;
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
    REQUIRE_EQ(pthread_barrier_init(&barrier, NULL, 3), 0);
    REQUIRE_EQ(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE), 0);
    for (size_t i = 0; i < 3; i++)
        REQUIRE_EQ(pthread_create(&threads[i], NULL, meet, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(serials, 200);
    CHECK_EQ(sum, 600);
    CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
    CHECK_EQ(pthread_spin_trylock(&spin), 0);
    CHECK_EQ(pthread_spin_trylock(&spin), EBUSY);
    CHECK_EQ(pthread_spin_destroy(&spin), EBUSY);
    CHECK_EQ(pthread_spin_unlock(&spin), 0);
    CHECK_EQ(pthread_spin_destroy(&spin), 0);
}

TEST(pthread_named_semaphores)
{
    struct timespec soon = from_now(CLOCK_REALTIME, 5);
    sem_t *sem, *same, *other;
    int value = -1;

    CHECK(sem_open("/counter", 0) == SEM_FAILED && errno == ENOENT);
    sem = sem_open("/counter", O_CREAT | O_EXCL, 0600, 2);
    REQUIRE(sem != SEM_FAILED);
    CHECK(sem_open("/counter", O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST);
    same = sem_open("/counter", 0);
    CHECK(same == sem);
    CHECK_EQ(sem_wait(sem), 0);
    CHECK_EQ(sem_trywait(same), 0);
    CHECK(sem_trywait(sem) == -1 && errno == EAGAIN);
    CHECK(sem_timedwait(sem, &soon) == -1 && errno == ETIMEDOUT);
    CHECK_EQ(sem_unlink("/counter"), 0);
    CHECK(sem_unlink("/counter") == -1 && errno == ENOENT);
    other = sem_open("/counter", O_CREAT, 0600, 7);
    CHECK(other != SEM_FAILED && other != sem);
    CHECK_EQ(sem_post(same), 0);
    CHECK_EQ(sem_getvalue(sem, &value), 0);
    CHECK_EQ(value, 1);
    CHECK_EQ(sem_close(sem), 0);
    CHECK_EQ(sem_close(same), 0);
    CHECK(sem_close(same) == -1 && errno == EINVAL);
    CHECK_EQ(sem_unlink("/counter"), 0);
    CHECK_EQ(sem_close(other), 0);
}

TEST(pthread_ceiling_is_the_owners_priority)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex;
    int ceiling, before;

    pthread_mutexattr_init(&attr);
    CHECK_EQ(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT), 0);
    CHECK_EQ(pthread_mutexattr_setprioceiling(&attr, 99), EINVAL);
    CHECK_EQ(pthread_mutexattr_setprioceiling(&attr, 20), 0);
    REQUIRE_EQ(pthread_mutex_init(&mutex, &attr), 0);
    CHECK_EQ(pthread_mutex_getprioceiling(&mutex, &ceiling), 0);
    CHECK_EQ(ceiling, 20);
    CHECK_EQ(pthread_mutex_lock(&mutex), 0);
    CHECK_EQ(thread_priority(current_thread(), NULL), PRIORITY_REALTIME + 12);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(thread_priority(current_thread(), NULL), PRIORITY_NORMAL);
    CHECK_EQ(pthread_mutex_setprioceiling(&mutex, 5, &before), 0);
    CHECK_EQ(before, 20);
    CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
}

static unsigned int order;

static void *note_order(void *arg)
{
    unsigned int place = atomic_fetch_add(&order, 1);

    CHECK_EQ(place, (uintptr_t)arg);
    return NULL;
}

TEST(pthread_priorities_run_best_first)
{
    struct sched_param param = { .sched_priority = 30 }, got;
    cpu_set_t only, before;
    pthread_attr_t attr;
    pthread_t threads[3];
    int policy;

    REQUIRE_THREADS(3);
    order = 0;
    pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
    CPU_ZERO(&only);
    CPU_SET(0, &only);
    REQUIRE_EQ(pthread_setaffinity_np(pthread_self(), sizeof(only), &only), 0);
    CHECK_EQ(sched_getcpu(), 0);
    REQUIRE_EQ(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param), 0);
    pthread_attr_init(&attr);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
    pthread_attr_setaffinity_np(&attr, sizeof(only), &only);
    for (int i = 2; i >= 0; i--) {
        param.sched_priority = 20 - i;
        CHECK_EQ(pthread_attr_setschedparam(&attr, &param), 0);
        REQUIRE_EQ(pthread_create(&threads[i], &attr, note_order, (void *)(uintptr_t)i), 0);
    }
    CHECK_EQ(order, 0); /* none is better than we are */
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(pthread_getschedparam(pthread_self(), &policy, &got), 0);
    CHECK_EQ(policy, SCHED_FIFO);
    CHECK_EQ(got.sched_priority, 30);
    param.sched_priority = 33;
    CHECK_EQ(pthread_setschedparam(pthread_self(), SCHED_RR, &param), EINVAL);
    param.sched_priority = 0;
    CHECK_EQ(pthread_setschedparam(pthread_self(), SCHED_OTHER, &param), 0);
    CHECK_EQ(pthread_setaffinity_np(pthread_self(), sizeof(before), &before), 0);
}

static void *get_own_affinity(void *set)
{
    CHECK_EQ(pthread_getaffinity_np(pthread_self(), sizeof(cpu_set_t), set), 0);
    return NULL;
}

TEST(pthread_affinity_is_inherited_unless_asked_for)
{
    cpu_set_t before, only, got;
    pthread_attr_t attr;
    pthread_t thread;

    pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
    CPU_ZERO(&only);
    CPU_SET(0, &only);
    REQUIRE_EQ(pthread_setaffinity_np(pthread_self(), sizeof(only), &only), 0);
    CHECK_EQ(pthread_create(&thread, NULL, get_own_affinity, &got), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(CPU_EQUAL(&got, &only));
    pthread_attr_init(&attr);
    CHECK_EQ(pthread_attr_setaffinity_np(&attr, sizeof(before), &before), 0);
    CHECK_EQ(pthread_create(&thread, &attr, get_own_affinity, &got), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(CPU_EQUAL(&got, &before));
    CHECK_EQ(pthread_setaffinity_np(pthread_self(), sizeof(before), &before), 0);
}
