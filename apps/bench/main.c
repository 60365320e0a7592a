/* SPDX-License-Identifier: MIT
 *
 * What things cost, as lines `bench NAME ELAPSED OWN`, both in ns and means over many turns: by the
 * clock, and of the vCPU's own time, which leaves out what other domains did meanwhile (runstate,
 * Xen public/vcpu.h).  On a bed that counts instructions a nanosecond is an instruction, Xen's
 * included. `bench PATTERN` picks.  tools/bench.py reads the lines; tools/bench/linux.c does the
 * same in Linux.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/cpu.h"
#include "hypercall/version.h"
#include "lib/atomic.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "tools/bench/threads.h"
#include "xenolith.h"

struct bench {
    const char *name;
    unsigned int turns;
    int (*prepare)(void); /* NULL: nothing to; else 0 or -errno */
    void (*turn)(void);
    void (*finish)(void);
    unsigned int per_turn; /* operations in one turn */
};

static void nothing(void)
{
    compiler_barrier();
}

static void null_hypercall(void)
{
    hypercall_xen_version();
}

static void read_clock(void)
{
    time_now_ns();
}

/* Events to ourselves: the notification is a hypercall that ends in the upcall. */
static evtchn_port_t port;
static unsigned int events;

static void count_event(evtchn_port_t port, void *arg)
{
    (void)port, (void)arg;
    store_once(&events, events + 1);
}

static int event_prepare(void)
{
    return event_bind_ipi(0, count_event, NULL, &port);
}

static void event_turn(void)
{
    unsigned int before = load_once(&events);

    event_notify(port);
    while (load_once(&events) == before)
        thread_yield();
}

static void event_finish(void)
{
    event_unbind(port);
}

static struct thread *other;
static bool stop;

static void yield_until_stopped(void *unused)
{
    (void)unused;
    while (!load_once(&stop))
        thread_yield();
}

static int start_other(void (*fn)(void *arg))
{
    stop = false;
    return thread_create(&other, "other", THREAD_STACK_ORDER, PRIORITY_NORMAL, fn, NULL);
}

static int yield_prepare(void)
{
    return start_other(yield_until_stopped);
}

static void yield_finish(void)
{
    store_once(&stop, true);
    thread_join(other, TIME_NEVER);
}

/* Two threads that wake each other and sleep: what a server does for each request. */
static struct semaphore ping, pong;

static void answer(void *unused)
{
    (void)unused;
    for (;;) {
        semaphore_wait(&ping, TIME_NEVER);
        if (load_once(&stop))
            return;
        semaphore_post(&pong);
    }
}

static int pong_prepare(void)
{
    semaphore_init(&ping, 0);
    semaphore_init(&pong, 0);
    return start_other(answer);
}

static void pong_turn(void)
{
    semaphore_post(&ping);
    semaphore_wait(&pong, TIME_NEVER);
}

static void pong_finish(void)
{
    store_once(&stop, true);
    semaphore_post(&ping);
    thread_join(other, TIME_NEVER);
}

static void end_at_once(void *unused)
{
    (void)unused;
}

static void create_join(void)
{
    struct thread *thread;

    if (thread_create(&thread, "short", THREAD_STACK_ORDER, PRIORITY_NORMAL, end_at_once, NULL) ==
        0)
        thread_join(thread, TIME_NEVER);
}

static struct mutex mutex;

static int mutex_prepare(void)
{
    mutex_init(&mutex, false);
    return 0;
}

static void mutex_turn(void)
{
    mutex_lock(&mutex);
    mutex_unlock(&mutex);
}

static void *volatile block; /* volatile: the compiler knows malloc and free too well */

static void malloc_turn(void)
{
    block = malloc(100);
    free(block);
}

static void kmem_turn(void)
{
    kmem_free(kmem_alloc(100));
}

static void page_turn(void)
{
    pages_free(pages_alloc(0), 0);
}

static char text[64];

static void printf_turn(void)
{
    snprintf(text, sizeof(text), "%d %s", 12345, "text");
}

static void printf_float_turn(void)
{
    snprintf(text, sizeof(text), "%.6f", 3.14159);
}

static void xenstore_turn(void)
{
    char *value;

    if (xenstore_read(XBT_NIL, "domid", &value, NULL) == 0)
        kmem_free(value);
}

static void *granted;

static int grant_prepare(void)
{
    granted = page_alloc_zeroed();
    return granted ? 0 : -XEN_ENOMEM;
}

static void grant_turn(void)
{
    grant_ref_t ref;

    if (grant_access(0, granted, false, &ref) == 0)
        grant_end(ref);
}

static void grant_finish(void)
{
    pages_free(granted, 0);
}

/* Pages of the program's heap that nobody had before. */
static void *first_pages[1000];
static unsigned int nr_first_pages;

static void first_page_turn(void)
{
    if (nr_first_pages < ARRAY_SIZE(first_pages)) {
        void *page = malloc(PAGE_SIZE);

        first_pages[nr_first_pages++] = page;
        *(volatile char *)page = 1;
    }
}

static void first_page_finish(void)
{
    while (nr_first_pages)
        free(first_pages[--nr_first_pages]);
}

static struct timer timer;

static int timer_prepare(void)
{
    timer_init(&timer, end_at_once, NULL);
    return 0;
}

static void timer_turn(void)
{
    timer_arm(&timer, time_after_ns(NS_PER_S));
    timer_cancel(&timer);
}

static const struct bench benches[] = {
    { "empty_loop", 100000, NULL, nothing, NULL, 1 },
    { "clock_read", 100000, NULL, read_clock, NULL, 1 },
    { "null_hypercall", 100000, NULL, null_hypercall, NULL, 1 },
    { "event_to_self", 20000, event_prepare, event_turn, event_finish, 1 },
    { "thread_switch", 20000, yield_prepare, thread_yield, yield_finish, 2 },
    { "thread_wake_switch", 10000, pong_prepare, pong_turn, pong_finish, 2 },
    { "thread_create_join", 2000, NULL, create_join, NULL, 1 },
    { "mutex_lock_unlock", 100000, mutex_prepare, mutex_turn, NULL, 1 },
    { "timer_arm_cancel", 20000, timer_prepare, timer_turn, NULL, 1 },
    { "malloc_free_pair", 100000, NULL, malloc_turn, NULL, 1 },
    { "kmem_alloc_free_pair", 100000, NULL, kmem_turn, NULL, 1 },
    { "page_alloc_free_pair", 100000, NULL, page_turn, NULL, 1 },
    { "first_page_write", 900, NULL, first_page_turn, first_page_finish, 1 },
    { "snprintf_int_string", 20000, NULL, printf_turn, NULL, 1 },
    { "snprintf_float", 20000, NULL, printf_float_turn, NULL, 1 },
    { "xenstore_read", 500, NULL, xenstore_turn, NULL, 1 },
    { "grant_access_end", 50000, grant_prepare, grant_turn, grant_finish, 1 },
};

static void run(const struct bench *bench)
{
    double operations = (double)bench->turns * bench->per_turn;
    int rc = bench->prepare ? bench->prepare() : 0;
    uint64_t start_ns, start_own_ns, ns, own;

    if (rc) {
        printf("# %s: %s\n", bench->name, error_name(rc));
        return;
    }
    for (unsigned int i = 0; i < bench->turns / 10; i++) /* what is slow only at first */
        bench->turn();
    start_own_ns = system_own_ns();
    start_ns = time_now_ns();
    for (unsigned int i = 0; i < bench->turns; i++)
        bench->turn();
    ns = time_now_ns() - start_ns;
    own = system_own_ns() - start_own_ns;
    if (bench->finish)
        bench->finish();
    printf("bench %s %.1f %.1f\n", bench->name, (double)ns / operations, (double)own / operations);
}

int main(int argc, char **argv)
{
    uint64_t ticks = cpu_ticks();

    if (arch_start_ticks) /* with tsc_mode="native" on a bed that counts: ns */
        printf("bench entry_to_main %llu 0\n", (unsigned long long)(ticks - arch_start_ticks));
    for (size_t i = 0; i < ARRAY_SIZE(benches); i++) {
        if (argc < 2 || strstr(benches[i].name, argv[1]))
            run(&benches[i]);
    }
    return 0;
}
