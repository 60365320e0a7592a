/* SPDX-License-Identifier: MIT
 *
 * What threads cost on several vCPUs: one POSIX program, compiled unchanged for Xenolith and for a
 * Linux domU; tools/bench.py reads what it prints.  threads.h has the two things POSIX lacks.
 *
 *   threads          lines `bench NAME ELAPSED OWN`, ns per operation: by the clock, and of the
 *                    domain's vCPUs together.  For a bed that counts instructions.
 *   threads scale, threads crowd     parallel.c
 *
 * Threads are pinned: thread i to vCPU i modulo the number of vCPUs it is to be spread over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "threads.h"

uint64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int bench_pin(unsigned int vcpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(vcpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/* --- single operations ------------------------------------------------------------------------ */

struct bench {
    const char *name;
    unsigned int threads, vcpus; /* so many threads on so many vCPUs */
    unsigned int turns;
    unsigned int per_turn; /* operations, of all threads together */
    void (*run)(unsigned int me, unsigned int turns);
    void (*begin)(unsigned int me), (*end)(unsigned int me); /* NULL: nothing to do */
};

static unsigned long failed; /* operations that did */

void bench_must(bool ok)
{
    if (!ok)
        __atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED);
}

/* In SCHED_FIFO, where a yield always means the other thread. */
static void be_fifo(unsigned int me)
{
    struct sched_param param = { .sched_priority = 1 };

    (void)me;
    bench_must(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0);
}

static void yield(unsigned int me, unsigned int turns)
{
    (void)me;
    while (turns--)
        sched_yield();
}

static sem_t sems[2];

static void post_and_wait(unsigned int me, unsigned int turns)
{
    while (turns--) {
        if (me == 0)
            sem_post(&sems[1]);
        sem_wait(&sems[me]);
        if (me == 1)
            sem_post(&sems[0]);
    }
}

/* Who has one of three mutexes waits for the next one, which the other has and unlocks when it has
 * got the one after that. So each lock waits for an unlock of the other thread. */
static pthread_mutex_t baton[3];
static unsigned int have[2];

static void take_one(unsigned int me)
{
    have[me] = me;
    pthread_mutex_lock(&baton[me]);
}

static void hand_over(unsigned int me, unsigned int turns)
{
    while (turns--) {
        unsigned int next = (have[me] + 1) % ARRAY_SIZE(baton);

        pthread_mutex_lock(&baton[next]);
        pthread_mutex_unlock(&baton[have[me]]);
        have[me] = next;
    }
}

static void leave_it(unsigned int me)
{
    pthread_mutex_unlock(&baton[have[me]]);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static unsigned long counter; /* held: mutex */

static void signal_other(unsigned int me, unsigned int turns)
{
    pthread_mutex_lock(&mutex);
    while (turns--) {
        while (counter % 2 != me)
            pthread_cond_wait(&cond, &mutex);
        counter++;
        pthread_cond_signal(&cond);
    }
    pthread_mutex_unlock(&mutex);
}

static pthread_barrier_t barrier;

static void meet(unsigned int me, unsigned int turns)
{
    (void)me;
    while (turns--)
        pthread_barrier_wait(&barrier);
}

static void *end_at_once(void *unused)
{
    return unused;
}

static void create_join(unsigned int me, unsigned int turns)
{
    (void)me;
    while (turns--) {
        pthread_t thread;

        bench_must(pthread_create(&thread, NULL, end_at_once, NULL) == 0 &&
                   pthread_join(thread, NULL) == 0);
    }
}

static volatile bool ipis_done;

/* What interrupts a vCPU that waits in Xen: one that computes would do so for a whole slice before
 * it shares its CPU with the one that asks. Thread 1 is in its first run until thread 0 has ended
 * its second. */
static void ipi(unsigned int me, unsigned int turns)
{
    if (me == 1) {
        while (!ipis_done)
            system_block(&ipis_done);
        return;
    }
    while (turns--)
        bench_must(system_ipi() == 0);
}

static void ipi_begin(unsigned int me)
{
    (void)me;
    ipis_done = false;
}

static void ipi_end(unsigned int me)
{
    if (me == 1)
        return;
    ipis_done = true;
    bench_must(system_ipi() == 0);
}

static const struct bench benches[] = {
    { "threads_yield", 2, 1, 5000, 2, yield, be_fifo, NULL },
    { "threads_wake", 2, 1, 5000, 2, post_and_wait, NULL, NULL },
    { "vcpus_wake", 2, 2, 5000, 2, post_and_wait, NULL, NULL },
    { "threads_mutex_handoff", 2, 1, 5000, 2, hand_over, take_one, leave_it },
    { "vcpus_mutex_handoff", 2, 2, 5000, 2, hand_over, take_one, leave_it },
    { "threads_cond_signal", 2, 1, 5000, 2, signal_other, NULL, NULL },
    { "vcpus_cond_signal", 2, 2, 5000, 2, signal_other, NULL, NULL },
    { "barrier_2", 2, 2, 2000, 1, meet, NULL, NULL },
    { "barrier_4", 4, 4, 1000, 1, meet, NULL, NULL },
    { "pthread_create_join", 1, 1, 1000, 1, create_join, NULL, NULL },
    { "ipi", 2, 2, 2000, 1, ipi, ipi_begin, ipi_end },
};

static struct {
    const struct bench *bench;
    pthread_barrier_t begun;
    uint64_t ns, own_ns;
} now;

static void *work(void *arg)
{
    const struct bench *bench = now.bench;
    unsigned int me = (uintptr_t)arg;

    bench_must(bench_pin(me % bench->vcpus) == 0);
    if (bench->begin)
        bench->begin(me);
    pthread_barrier_wait(&now.begun);
    bench->run(me, bench->turns / 10); /* what is slow only at first */
    if (me == 0) {
        now.own_ns = system_own_ns();
        now.ns = bench_now_ns();
    }
    bench->run(me, bench->turns);
    if (bench->end)
        bench->end(me);
    return NULL;
}

/* The measure ends when all threads have ended, which is little beside the turns. */
static void run(const struct bench *bench)
{
    double operations = (double)bench->turns * bench->per_turn;
    pthread_t threads[THREADS_MAX];
    unsigned int count = 0;
    uint64_t ns, own_ns;

    now.bench = bench;
    failed = counter = 0;
    pthread_barrier_init(&now.begun, NULL, bench->threads);
    pthread_barrier_init(&barrier, NULL, bench->threads);
    for (size_t i = 0; i < ARRAY_SIZE(baton); i++)
        pthread_mutex_init(&baton[i], NULL);
    for (size_t i = 0; i < ARRAY_SIZE(sems); i++)
        sem_init(&sems[i], 0, 0);
    for (; count < bench->threads; count++) {
        if (pthread_create(&threads[count], NULL, work, (void *)(uintptr_t)count)) {
            printf("# %s: no thread\n", bench->name);
            exit(1); /* the others wait for it */
        }
    }
    while (count)
        pthread_join(threads[--count], NULL);
    ns = bench_now_ns() - now.ns;
    own_ns = system_own_ns() - now.own_ns;
    if (failed)
        printf("# %s: %lu operations failed\n", bench->name, failed);
    else
        printf("bench %s %.1f %.1f\n", bench->name, (double)ns / operations,
               (double)own_ns / operations);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    system_begin();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "scale") == 0) {
        parallel_scale();
    } else if (strcmp(what, "crowd") == 0) {
        parallel_crowd();
    } else {
        for (size_t i = 0; i < ARRAY_SIZE(benches); i++) {
            if (sysconf(_SC_NPROCESSORS_ONLN) >= (long)benches[i].vcpus &&
                strstr(benches[i].name, what))
                run(&benches[i]);
        }
    }
    printf("threads: done\n");
    system_end();
    return failed != 0;
}
