/* SPDX-License-Identifier: MIT
 *
 * What more vCPUs make of more work: the second half of threads.c's program, for two real CPUs.
 *
 *   threads scale    lines `scale NAME ALONE0 ALONE1 BOTH0 BOTH1`, one a round: what each of two
 *                    threads on two vCPUs takes for the same work alone, and when both do it;
 *                    between them lines `control` of a loop that shares nothing
 *   threads crowd    lines `crowd NAME TWO EIGHT`: the time of two threads on two vCPUs, and of
 *                    eight on eight for the same work together
 *
 * All times are ticks. Thread i is pinned to vCPU i.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include "threads.h"

#define SCALE_TICKS   3000000 /* a phase of `scale`: shorter than the host's time slices */
#define CONTROL_TICKS 1000000 /* of what stands between them */
#define RUNS          16      /* in each */
#define SCALE_ROUNDS  200
#define WARM_TURNS    100000   /* more than fill memory and caches */
#define CROWD_TICKS   60000000 /* of `crowd`: longer than Xen's */
#define CROWD_ROUNDS  11
#define PATIENCE_NS   15000000000 /* for each, on a machine that has other things to do */

/* What ratios are taken of: the CPU's own counter, because the clocks that Xen gives two vCPUs lie
 * far apart on a machine whose CPUs are threads of a busy host. */
static uint64_t ticks(void)
{
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return bench_now_ns();
#endif
}

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
        bench_must(*block != NULL);
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
static sem_t sems[2];

static void fill_box(unsigned char **box, uint64_t *state)
{
    for (unsigned int i = 0; i < BOX; i++) {
        size_t size = block_size(state);

        box[i] = malloc(size);
        bench_must(box[i] != NULL);
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
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;
static unsigned long counter; /* held: mutex or spin */

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

    bench_must(bench_pin(me) == 0);
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

    bench_must(bench_pin(0) == 0);
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
    uint64_t limit_ns = bench_now_ns() + PATIENCE_NS, span = one == two ? SCALE_TICKS : 0;
    unsigned int turns, control_turns = turns_for(write_memory, CONTROL_TICKS / RUNS);

    (void)time_of(2, two, WARM_TURNS);
    turns = turns_for(one, span ? SCALE_TICKS / RUNS : SCALE_TICKS);
    compare("control", write_memory, write_memory, control_turns, CONTROL_TICKS);
    for (int round = 0; round < SCALE_ROUNDS && bench_now_ns() < limit_ns; round++) {
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

    uint64_t limit_ns = bench_now_ns() + PATIENCE_NS;

    for (int round = 0; round < CROWD_ROUNDS && bench_now_ns() < limit_ns; round++) {
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

void parallel_scale(void)
{
    with_crew(2, scale_all);
}

void parallel_crowd(void)
{
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    with_crew(8, crowd_all);
}
