/* SPDX-License-Identifier: MIT
 *
 * What threads cost on several vCPUs: one POSIX program, compiled unchanged for Xenolith and for a
 * Linux domU; tools/bench.py reads what it prints.  threads.h has the two things POSIX lacks.
 *
 *   threads          lines `bench NAME ELAPSED OWN`, ns per operation: by the clock, and of the
 *                    domain's vCPUs together.  For a bed that counts instructions.
 *   threads scale    lines `scale NAME ALONE0 ALONE1 BOTH0 BOTH1`, one a round: what each of two
 *                    threads on two vCPUs takes for the same work alone, and when both do it;
 *                    between them lines `control` of a loop that shares nothing.  For two real
 *                    CPUs.
 *   threads crowd    lines `crowd NAME TWO EIGHT`: the time of two threads on two vCPUs, and of
 *                    eight on eight for the same work together.
 *
 * Threads are pinned: thread i to vCPU i modulo the number of vCPUs it is to be spread over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
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

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define THREADS_MAX   8
#define SCALE_TICKS   3000000 /* a phase of `scale`: shorter than the host's time slices */
#define CONTROL_TICKS 1000000 /* of what stands between them */
#define RUNS          16      /* in each */
#define SCALE_ROUNDS  200
#define WARM_TURNS    100000   /* more than fill memory and caches */
#define CROWD_TICKS   60000000 /* of `crowd`: longer than Xen's */
#define CROWD_ROUNDS  11
#define PATIENCE_NS   15000000000 /* for each, on a machine that has other things to do */

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* What ratios are taken of: the CPU's own counter, because the clocks that Xen gives two vCPUs lie
 * far apart on a machine whose CPUs are threads of a busy host. */
static uint64_t ticks(void)
{
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return now_ns();
#endif
}

static int pin(unsigned int vcpu)
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

static void must(bool ok)
{
    if (!ok)
        __atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED);
}

/* In SCHED_FIFO, where a yield always means the other thread. */
static void be_fifo(unsigned int me)
{
    struct sched_param param = { .sched_priority = 1 };

    (void)me;
    must(pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0);
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

        must(pthread_create(&thread, NULL, end_at_once, NULL) == 0 &&
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
        must(system_ipi() == 0);
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
    must(system_ipi() == 0);
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

    must(pin(me % bench->vcpus) == 0);
    if (bench->begin)
        bench->begin(me);
    pthread_barrier_wait(&now.begun);
    bench->run(me, bench->turns / 10); /* what is slow only at first */
    if (me == 0) {
        now.own_ns = system_own_ns();
        now.ns = now_ns();
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
    ns = now_ns() - now.ns;
    own_ns = system_own_ns() - now.own_ns;
    if (failed)
        printf("# %s: %lu operations failed\n", bench->name, failed);
    else
        printf("bench %s %.1f %.1f\n", bench->name, (double)ns / operations,
               (double)own_ns / operations);
}

/* --- more vCPUs, more work ---------------------------------------------------------------------
 */

static uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 33;
}

static volatile uint64_t computed;

static void compute(unsigned int me, unsigned int turns)
{
    uint64_t x = me;

    while (turns--) {
        for (int i = 0; i < 100; i++)
            random_next(&x);
    }
    computed = x;
}

/* Bytes here and there in memory of one's own: what one has of the caches and of the machine's
 * memory while another does the same. */
#define AREA (512 << 10)

static void write_memory(unsigned int me, unsigned int turns)
{
    static unsigned char areas[THREADS_MAX][AREA] __attribute__((aligned(4096)));
    uint64_t state = me + 1;

    while (turns--) {
        unsigned char *block = &areas[me][random_next(&state) % (AREA - 512)];

        block[0] = block[1 + random_next(&state) % 511] = 1;
    }
}

/* Most blocks are small, some are pages, a few are large. */
static size_t block_size(uint64_t *state)
{
    uint64_t kind = random_next(state) & 255;

    if (kind >= 16)
        return 16 + random_next(state) % 497;
    return kind ? 513 + random_next(state) % 3584 : 4097 + random_next(state) % 28672;
}

/* A program with some hundred things alive, one of which at a time is replaced by another. */
#define LIVE 700

static void replace_blocks(unsigned int me, unsigned int turns)
{
    static unsigned char *live[THREADS_MAX][LIVE];
    uint64_t state = me + 1;

    while (turns--) {
        unsigned char **block = &live[me][random_next(&state) % LIVE];
        size_t size = block_size(&state);

        free(*block);
        *block = malloc(size);
        must(*block != NULL);
        if (*block)
            (*block)[0] = (*block)[size - 1] = (unsigned char)me;
    }
}

/* What one thread allocates the other frees, some boxes later: so neither has to wait for the other
 * as long as they are about as quick. With BOXES a box is empty before it is filled again: who gets
 * the other's box i knows that his own up to i - LAG - 1 are. */
#define BOX   64
#define LAG   4
#define BOXES (2 * LAG + 2)

static unsigned char *boxes[2][BOXES][BOX];

static void fill_box(unsigned char **box, uint64_t *state)
{
    for (unsigned int i = 0; i < BOX; i++) {
        size_t size = block_size(state);

        box[i] = malloc(size);
        must(box[i] != NULL);
        if (box[i])
            box[i][0] = box[i][size - 1] = 1;
    }
}

static void empty_box(unsigned char **box)
{
    for (unsigned int i = 0; i < BOX; i++)
        free(box[i]);
}

/* From `me` to `other`, who does the same; or to oneself. */
static void pass(unsigned int me, unsigned int other, unsigned int turns)
{
    uint64_t state = me + 1;

    for (unsigned int i = 0; i < turns / BOX + LAG; i++) {
        if (i < turns / BOX) {
            fill_box(boxes[me][i % BOXES], &state);
            sem_post(&sems[other]);
        }
        if (i >= LAG) {
            sem_wait(&sems[me]);
            empty_box(boxes[other][(i - LAG) % BOXES]);
        }
    }
}

static void pass_to_other(unsigned int me, unsigned int turns)
{
    pass(me, !me, turns);
}

static void pass_to_self(unsigned int me, unsigned int turns)
{
    pass(me, me, turns);
}

/* A short critical section, and some work outside. */
static pthread_spinlock_t spin;

static void short_work(uint64_t *state)
{
    for (int i = 0; i < 50; i++)
        random_next(state);
}

static void contend_mutex(unsigned int me, unsigned int turns)
{
    uint64_t state = me;

    while (turns--) {
        pthread_mutex_lock(&mutex);
        counter += random_next(&state) & 1;
        pthread_mutex_unlock(&mutex);
        short_work(&state);
    }
}

static void contend_spin(unsigned int me, unsigned int turns)
{
    uint64_t state = me;

    while (turns--) {
        pthread_spin_lock(&spin);
        counter += random_next(&state) & 1;
        pthread_spin_unlock(&spin);
        short_work(&state);
    }
}

/* A crew of threads that wait, each on its vCPU, until they are given something to do. */
struct member {
    sem_t wanted;
    uint64_t start, end; /* ticks */
    unsigned int runs;   /* since start */
} __attribute__((aligned(64)));

static struct {
    struct member members[THREADS_MAX];
    void (*run)(unsigned int me, unsigned int turns); /* NULL: go home */
    unsigned int turns, first, count;
    uint64_t span;                /* run() again and again, for so many ticks */
    unsigned int ready, finished; /* of this order */
    sem_t all_finished;
} crew;

static void member_run(unsigned int me)
{
    struct member *member = &crew.members[me];

    __atomic_fetch_add(&crew.ready, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&crew.ready, __ATOMIC_ACQUIRE) < crew.count) {
        if (crew.count > 2) /* there may be fewer CPUs */
            sched_yield();
    }
    member->start = ticks();
    member->runs = 0;
    do {
        crew.run(me, crew.turns);
        member->runs++;
        member->end = ticks();
    } while (member->end - member->start < crew.span);
    if (__atomic_add_fetch(&crew.finished, 1, __ATOMIC_ACQ_REL) == crew.count)
        sem_post(&crew.all_finished);
}

static void *member_work(void *arg)
{
    unsigned int me = (uintptr_t)arg;

    must(pin(me) == 0);
    for (;;) {
        sem_wait(&crew.members[me].wanted);
        if (!crew.run)
            return NULL;
        member_run(me);
    }
}

/* fn(.., turns) by threads `first` to first + count - 1, until each has done so for `span` ticks.
 * In thread 0. */
static void order(unsigned int first, unsigned int count,
                  void (*fn)(unsigned int me, unsigned int turns), unsigned int turns,
                  uint64_t span)
{
    crew.run = fn;
    crew.turns = turns;
    crew.first = first;
    crew.count = count;
    crew.span = span;
    crew.ready = crew.finished = 0;
    for (unsigned int i = first; i < first + count; i++) {
        if (i != 0)
            sem_post(&crew.members[i].wanted);
    }
    if (first == 0)
        member_run(0);
    while (sem_wait(&crew.all_finished))
        ;
}

/* How long threads 0 to `count` - 1 take for so many turns each, in ticks. */
static uint64_t time_of(unsigned int count, void (*fn)(unsigned int me, unsigned int turns),
                        unsigned int turns)
{
    uint64_t start = UINT64_MAX, end = 0;

    order(0, count, fn, turns, 0);
    for (unsigned int i = 0; i < count; i++) {
        const struct member *member = &crew.members[i];

        start = member->start < start ? member->start : start;
        end = member->end > end ? member->end : end;
    }
    return end - start;
}

/* What thread i took for each of its runs, in ticks. */
static uint64_t time_of_run(unsigned int i)
{
    const struct member *member = &crew.members[i];

    return (member->end - member->start) / member->runs;
}

/* Call fn() as thread 0 of a crew. */
static void with_crew(unsigned int count, void (*fn)(void))
{
    pthread_t threads[THREADS_MAX];

    must(pin(0) == 0);
    sem_init(&crew.all_finished, 0, 0);
    for (uintptr_t i = 1; i < count; i++) {
        sem_init(&crew.members[i].wanted, 0, 0);
        if (pthread_create(&threads[i], NULL, member_work, (void *)i)) {
            printf("# no thread\n");
            exit(1);
        }
    }
    fn();
    crew.run = NULL;
    for (unsigned int i = 1; i < count; i++) {
        sem_post(&crew.members[i].wanted);
        pthread_join(threads[i], NULL);
    }
}

/* Turns that take one thread at least so many ticks, however often they are repeated: the first
 * ones are slow, and any may be disturbed. */
static unsigned int turns_for(void (*fn)(unsigned int me, unsigned int turns), uint64_t least)
{
    unsigned int turns = 256;

    for (int times = 0; times < 5; times++) {
        if (time_of(1, fn, turns) >= least)
            continue;
        turns *= 2;
        times = -1;
    }
    return turns;
}

/* A line of four times: that of a run of one() by thread 0 alone and by thread 1 alone, and of
 * two() by each of them when both run. CPUs need not be equally quick, so each is compared with
 * itself. */
static void compare(const char *name, void (*one)(unsigned int me, unsigned int turns),
                    void (*two)(unsigned int me, unsigned int turns), unsigned int turns,
                    uint64_t span)
{
    uint64_t alone[2];

    for (unsigned int i = 0; i < 2; i++) {
        order(i, 1, one, turns, span);
        alone[i] = time_of_run(i);
    }
    order(0, 2, two, turns, span);
    printf("%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", name, alone[0], alone[1],
           time_of_run(0), time_of_run(1));
}

/* By turns, so that all see the same disturbances, and between them the control: what the machine
 * makes of two CPUs right now, which changes from one moment to the next where CPUs are threads of
 * a host. Two threads that need each other do the same number of turns, others run as long. */
static void scale(const char *name, void (*one)(unsigned int me, unsigned int turns),
                  void (*two)(unsigned int me, unsigned int turns))
{
    uint64_t limit_ns = now_ns() + PATIENCE_NS, span = one == two ? SCALE_TICKS : 0;
    unsigned int turns, control_turns = turns_for(write_memory, CONTROL_TICKS / RUNS);

    (void)time_of(2, two, WARM_TURNS);
    turns = turns_for(one, span ? SCALE_TICKS / RUNS : SCALE_TICKS);
    compare("control", write_memory, write_memory, control_turns, CONTROL_TICKS);
    for (int round = 0; round < SCALE_ROUNDS && now_ns() < limit_ns; round++) {
        compare(name, one, two, turns, span);
        compare("control", write_memory, write_memory, control_turns, CONTROL_TICKS);
    }
}

static void scale_all(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(sems); i++)
        sem_init(&sems[i], 0, 0);
    scale("scale compute", compute, compute);
    scale("scale memory", write_memory, write_memory);
    scale("scale malloc", replace_blocks, replace_blocks);
    scale("scale malloc_passed", pass_to_self, pass_to_other);
}

static void crowd(const char *name, void (*fn)(unsigned int me, unsigned int turns))
{
    unsigned int turns = turns_for(fn, CROWD_TICKS);

    uint64_t limit_ns = now_ns() + PATIENCE_NS;

    for (int round = 0; round < CROWD_ROUNDS && now_ns() < limit_ns; round++) {
        uint64_t two_time = time_of(2, fn, turns), eight_time = time_of(8, fn, turns / 4);

        printf("crowd %s %" PRIu64 " %" PRIu64 "\n", name, two_time, eight_time);
    }
}

static void crowd_all(void)
{
    crowd("compute", compute);
    crowd("mutex", contend_mutex);
    crowd("spinlock", contend_spin);
    crowd("malloc", replace_blocks);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    system_begin();
    setvbuf(stdout, NULL, _IOLBF, 0);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    if (strcmp(what, "scale") == 0) {
        with_crew(2, scale_all);
    } else if (strcmp(what, "crowd") == 0) {
        with_crew(8, crowd_all);
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
