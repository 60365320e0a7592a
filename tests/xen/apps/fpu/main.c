/* SPDX-License-Identifier: MIT
 *
 * Every register of the FPU is its thread's: some threads hold patterns in all of them and are
 * switched away from at any instruction, by each other's slices and by one that wakes up every
 * millisecond and fills them too; some hold sums in those that calls keep, and yield.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/atomic.h"
#include "registers.h"
#include "xenolith.h"

#define HOLDERS  3
#define YIELDERS 2
#define ROUNDS   20
#define TURNS    1000000 /* some milliseconds */
#define YIELDS   2000

static unsigned int wrong, done;

static void hold(uint8_t pattern, unsigned long turns)
{
    uint8_t in[REGISTER_BYTES], out[REGISTER_BYTES] = { 0 };

    for (unsigned int i = 0; i < REGISTER_BYTES; i++)
        in[i] = (uint8_t)(pattern + 7 * i);
    registers_hold(in, out, turns);
    if (memcmp(in, out, sizeof(in)) != 0)
        (void)atomic_fetch_add(&wrong, 1);
}

static void hold_often(void *arg)
{
    const uint8_t *pattern = arg;

    for (int round = 0; round < ROUNDS; round++)
        hold((uint8_t)(*pattern + round), TURNS);
    (void)atomic_fetch_add(&done, 1);
}

static void disturb(void *arg)
{
    const unsigned int *all_done = arg;

    while (load_once(all_done) < HOLDERS + YIELDERS) {
        thread_sleep_until(time_after_ns(NS_PER_MS));
        hold(0xa5, 1);
    }
}

/* Sums of whole numbers, which are exact. */
static void yield_often(void *arg)
{
    const uint8_t *pattern = arg;
    double a = 0, b = 0, c = 0, d = 0, step = *pattern;

    for (int i = 0; i < YIELDS; i++) {
        a += step;
        b += 2 * step;
        c += 3 * step;
        d += 5 * step;
        thread_yield();
    }
    if (fabs(a - YIELDS * step) + fabs(b - 2 * YIELDS * step) + fabs(c - 3 * YIELDS * step) +
            fabs(d - 5 * YIELDS * step) >
        0)
        (void)atomic_fetch_add(&wrong, 1);
    (void)atomic_fetch_add(&done, 1);
}

static struct thread *start(const char *name, enum thread_priority priority, void (*fn)(void *arg),
                            void *arg)
{
    struct thread *thread;

    if (thread_create(&thread, name, THREAD_STACK_ORDER, priority, fn, arg)) {
        printf("no memory for a thread\n");
        exit(1);
    }
    return thread;
}

int main(void)
{
    static uint8_t patterns[HOLDERS + YIELDERS] = { 0x11, 0x52, 0x93, 1, 2 };
    struct thread *threads[HOLDERS + YIELDERS + 1];
    struct xenolith_stats before, after;

    xenolith_get_stats(&before);
    for (int i = 0; i < HOLDERS + YIELDERS; i++)
        threads[i] = start(i < HOLDERS ? "hold" : "yield", PRIORITY_NORMAL,
                           i < HOLDERS ? hold_often : yield_often, &patterns[i]);
    threads[HOLDERS + YIELDERS] = start("disturb", PRIORITY_HIGH, disturb, &done);
    for (int i = 0; i < HOLDERS + YIELDERS + 1; i++)
        thread_join(threads[i], TIME_NEVER);
    xenolith_get_stats(&after);
    printf("fpu: %d rounds, %llu switches, %u wrong\n", HOLDERS * ROUNDS,
           (unsigned long long)(after.switches - before.switches), wrong);
    return 0;
}
