/* SPDX-License-Identifier: MIT
 *
 * Spinlocks between vCPUs, each a pthread.  Another one often goes on between two accesses of the
 * lock's code: a lock that looks first and takes then is caught, on few processors too.
 */
#include <pthread.h>
#include <sched.h>
#include "lib/atomic.h"
#include "tests/host/test.h"

static void let_others(void)
{
    static _Thread_local unsigned int turn;

    if (turn++ % 8 == 0)
        sched_yield();
}

#undef load_once
#undef store_release
#undef atomic_exchange
#define load_once(p)                                                                               \
    ({                                                                                             \
        __typeof__(*(p)) seen_ = __atomic_load_n(p, __ATOMIC_RELAXED);                             \
        let_others();                                                                              \
        seen_;                                                                                     \
    })
#define store_release(p, v)   (let_others(), __atomic_store_n(p, v, __ATOMIC_RELEASE))
#define atomic_exchange(p, v) (let_others(), __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
#include "hypercall/sched.h"
#include "lib/spinlock.h"
#include "lib/spinlock.c"

#define VCPUS 4
#define TURNS 20000

static spinlock_t lock = SPINLOCK_INIT;
static unsigned long plain; /* held: lock; not atomic */
static unsigned int inside;

static void *count(void *arg)
{
    fake_cpu_adopt((unsigned int)(unsigned long)arg);
    for (unsigned int i = 0; i < TURNS; i++) {
        bool enabled = spin_lock_save(&lock);

        if (atomic_fetch_add(&inside, 1) != 0)
            test_fail(__FILE__, __LINE__, "two vCPUs hold the lock");
        plain++;
        if (i % 1024 == 0)
            cpu_relax(); /* the others spin meanwhile */
        atomic_fetch_sub(&inside, 1);
        spin_unlock_restore(&lock, enabled);
    }
    return NULL;
}

TEST(vcpus_exclude_each_other)
{
    pthread_t threads[VCPUS];

    for (unsigned long i = 0; i < VCPUS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, count, (void *)(i + 1)), 0);
    for (unsigned int i = 0; i < VCPUS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(plain, (unsigned long)VCPUS * TURNS);
    CHECK_EQ(lock.held, 0);
}

static void *wait_for_lock(void *arg)
{
    fake_cpu_adopt(1);
    spin_lock(&lock);
    store_release((bool *)arg, true);
    spin_unlock(&lock);
    return NULL;
}

/* The holder's vCPU may not be running: the waiter gives its physical CPU away. */
TEST(waiter_in_vain_sleeps)
{
    bool got = false;
    pthread_t thread;

    spin_lock(&lock);
    CHECK_EQ(pthread_create(&thread, NULL, wait_for_lock, &got), 0);
    CHECK_SOON(fake_hypercalls(__HYPERVISOR_sched_op, SCHEDOP_poll) > 1);
    CHECK(!load_acquire(&got));
    spin_unlock(&lock);
    pthread_join(thread, NULL);
    CHECK(got);
}

TEST(free_lock_costs_no_hypercall)
{
    spin_lock(&lock);
    spin_unlock(&lock);
    CHECK_EQ(fake_hypercalls(__HYPERVISOR_sched_op, SCHEDOP_poll), 0);
}

TEST(mask_is_as_it_was_after)
{
    for (unsigned int masked = 0; masked < 2; masked++) {
        bool enabled;

        if (masked)
            upcalls_disable();
        else
            upcalls_enable();
        enabled = spin_lock_save(&lock);
        CHECK_EQ(enabled, !masked);
        CHECK(!upcalls_enabled());
        spin_unlock_restore(&lock, enabled);
        CHECK_EQ(upcalls_enabled(), !masked);
        CHECK_EQ(lock.held, 0);
    }
}
