/* SPDX-License-Identifier: MIT
 *
 * Many vCPUs, seen from inside: `vcpus watch` says which are online whenever that changes, under
 * load from threads that compute and sleep; `vcpus idle` only sleeps; `vcpus panic` panics while
 * every other vCPU computes in a function of its own name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/smp.h"
#include "lib/panic.h"
#include "xenolith.h"

#define WORKERS 12

static unsigned long turns[WORKERS];

static void start(const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread *thread;

    if (thread_create(&thread, name, THREAD_STACK_ORDER, PRIORITY_NORMAL, fn, arg)) {
        printf("no memory for a thread\n");
        exit(1);
    }
    thread_detach(thread);
}

static void say_online(void)
{
    unsigned int vcpu;

    printf("online:");
    vcpu_set_for_each(vcpu, &vcpus_online) printf(" %u", vcpu);
    printf("\n");
}

static void work(void *arg)
{
    unsigned long *count = arg;

    for (;;) {
        for (volatile int i = 0; i < 20000; i++)
            ;
        store_once(count, *count + 1);
        if (*count % 8 == 0) /* dom0 and xl get something of the CPU, too */
            thread_sleep_until(time_after_ns(15 * NS_PER_MS));
    }
}

/* Does every worker get on? Threads that were left behind on a vCPU would not. */
static bool all_work(void)
{
    unsigned long before[WORKERS];
    unsigned int stuck = WORKERS;

    memcpy(before, turns, sizeof(before));
    for (int wait = 0; wait < 100 && stuck; wait++) {
        thread_sleep_until(time_after_ns(20 * NS_PER_MS));
        stuck = 0;
        for (int i = 0; i < WORKERS; i++)
            stuck += load_once(&turns[i]) == before[i];
    }
    return stuck == 0;
}

static int watch(void)
{
    struct vcpu_set seen = { { 0 } };
    unsigned int rounds = 0;

    for (int i = 0; i < WORKERS; i++)
        start("worker", work, &turns[i]);
    while (!xenolith_shutdown_requested()) {
        struct vcpu_set now = vcpus_online;

        if (memcmp(&now, &seen, sizeof(now))) {
            seen = now;
            say_online();
        }
        if (!all_work()) {
            printf("a worker is stuck\n");
            return 1;
        }
        rounds++;
    }
    printf("all workers worked in %u rounds\n", rounds);
    return 0;
}

__attribute__((noinline)) static void computing(unsigned int *arrived)
{
    (void)atomic_fetch_add(arrived, 1);
    for (;;)
        compiler_barrier();
}

static void compute(void *arg)
{
    computing(arg);
    printf("never\n");
}

static int panicking(void)
{
    unsigned int arrived = 0, others = vcpu_set_count(&vcpus_online) - 1;

    for (unsigned int i = 0; i < others; i++)
        start("computing", compute, &arrived);
    while (load_once(&arrived) < others)
        thread_sleep_until(time_after_ns(NS_PER_MS));
    panic("asked to, %u vCPUs computing", others);
}

int main(int argc, char **argv)
{
    say_online();
    if (argc == 2 && strcmp(argv[1], "watch") == 0)
        return watch();
    if (argc == 2 && strcmp(argv[1], "panic") == 0)
        return panicking();
    if (argc == 2 && strcmp(argv[1], "idle") == 0) {
        while (!xenolith_shutdown_requested())
            thread_sleep_until(time_after_ns(NS_PER_S));
        return 0;
    }
    printf("usage: vcpus watch|idle|panic\n");
    return 2;
}
