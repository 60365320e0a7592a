/* SPDX-License-Identifier: MIT
 *
 * The kernel of tests/net/world.h.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/cpu.h"
#include "kernel/mutex.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/log.h"
#include "libc/fd.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "tests/net/world.h"
#include "xenbus/xenstore.h"

uint64_t world_now_ns = 1000 * NS_PER_S;
unsigned int world_wakes;
void (*world_peer)(void);
unsigned long world_pages, world_blocks, world_pages_max = 8192;

static struct percpu boot;
struct percpu percpu_boot, *percpus[MAX_VCPUS] = { &boot };
struct vcpu_set vcpus_online = { { 1 } };
_Thread_local struct percpu *fake_percpu;
_Thread_local struct thread *fake_current;

_Noreturn static void broken(const char *what)
{
    fprintf(stderr, "tests/net: %s\n", what);
    abort();
}

/* --- upcalls: none --- */

static bool masked;

void upcalls_disable(void)
{
    masked = true;
}

void upcalls_enable(void)
{
    masked = false;
}

bool upcalls_enabled(void)
{
    return !masked;
}

long fake_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
                    unsigned long a4, unsigned long a5)
{
    (void)nr, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5;
    broken("a hypercall");
}

uint64_t arch_clock_ns(void)
{
    return world_now_ns;
}

uint64_t time_now_ns(void)
{
    return world_now_ns;
}

uint64_t time_after_ns(uint64_t ns)
{
    return world_now_ns + ns;
}

uint64_t cpu_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* --- services: threads that begin anew each time they are woken --- */

#define SERVICES 4
#define TIMERS   4

static struct service {
    void (*fn)(void *arg);
    void *arg;
    struct signal *signal; /* it waits for; NULL: it has not run yet */
    uint64_t deadline_ns;
} services[SERVICES], *running;
static jmp_buf out;
static struct timer *armed[TIMERS];

void thread_start_service(const char *name, void (*fn)(void *arg), void *arg)
{
    struct service *s = services;

    (void)name;
    while (s->fn)
        s++;
    *s = (struct service){ .fn = fn, .arg = arg };
}

int thread_create(struct thread **thread, const char *name, unsigned int stack_order,
                  enum thread_priority priority, void (*fn)(void *arg), void *arg)
{
    (void)thread, (void)name, (void)stack_order, (void)priority, (void)fn, (void)arg;
    return -XEN_ENOMEM;
}

void thread_sleep_until(uint64_t deadline_ns)
{
    if (!running)
        world_pass_ms((unsigned int)((deadline_ns - world_now_ns) / NS_PER_MS));
}

void signal_raise(struct signal *signal)
{
    signal->raised = true;
}

/* Only services do. */
int signal_wait(struct signal *signal, uint64_t deadline_ns)
{
    if (!running)
        broken("who waits for a signal?");
    if (signal->raised || deadline_ns <= world_now_ns) {
        bool raised = signal->raised;

        signal->raised = false;
        return raised ? 0 : -XEN_ETIMEDOUT;
    }
    running->signal = signal;
    running->deadline_ns = deadline_ns;
    longjmp(out, 1);
}

static bool is_due(const struct service *s)
{
    return s->fn && (!s->signal || s->signal->raised || s->deadline_ns <= world_now_ns);
}

static void run_service(struct service *s)
{
    world_wakes++;
    running = s;
    /* A service that waits for a signal and nothing else begins with that wait. */
    if (s->signal && s->deadline_ns != TIME_NEVER)
        s->signal->raised = false;
    if (setjmp(out) == 0)
        s->fn(s->arg);
    running = NULL;
}

void timer_init(struct timer *timer, void (*fn)(void *arg), void *arg)
{
    *timer = (struct timer){ .fn = fn, .arg = arg };
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    unsigned int i = 0;

    while (armed[i] && armed[i] != timer)
        i++;
    armed[i] = timer;
    timer->deadline_ns = deadline_ns;
}

static bool step(uint64_t until_ns)
{
    uint64_t next_ns = until_ns;

    if (world_peer)
        world_peer();
    for (unsigned int i = 0; i < SERVICES; i++) {
        if (is_due(&services[i])) {
            run_service(&services[i]);
            return true;
        }
        if (services[i].fn && services[i].deadline_ns < next_ns)
            next_ns = services[i].deadline_ns;
    }
    for (unsigned int i = 0; i < TIMERS; i++) {
        struct timer *timer = armed[i];

        if (timer && timer->deadline_ns <= world_now_ns) {
            armed[i] = NULL;
            timer->fn(timer->arg);
            return true;
        }
        if (timer && timer->deadline_ns < next_ns)
            next_ns = timer->deadline_ns;
    }
    if (world_now_ns >= until_ns)
        return false;
    world_now_ns = next_ns;
    return true;
}

void world_pass_ms(unsigned int ms)
{
    uint64_t until_ns = world_now_ns + ms * NS_PER_MS;

    while (step(until_ns))
        ;
}

/* --- waiting, in the test's thread --- */

struct sleeper {
    struct list link;
    bool woken;
};

bool waitq_lock(struct waitq *q)
{
    (void)q;
    return true;
}

void waitq_unlock(struct waitq *q, bool enabled)
{
    (void)q, (void)enabled;
}

int waitq_sleep_interruptible(struct waitq *q, uint64_t deadline_ns)
{
    struct sleeper me = { .woken = false };
    uint64_t last_ns = deadline_ns == TIME_NEVER ? world_now_ns + 1000 * NS_PER_S : deadline_ns;

    list_add_last(&q->sleepers, &me.link);
    while (!me.woken && step(last_ns))
        ;
    if (me.woken)
        return 0;
    list_remove(&me.link);
    if (deadline_ns == TIME_NEVER)
        broken("a sleep for ever");
    return -XEN_ETIMEDOUT;
}

unsigned int waitq_wake_all(struct waitq *q)
{
    struct list *first;
    unsigned int woken = 0;

    while ((first = list_take_first(&q->sleepers))) {
        list_entry(first, struct sleeper, link)->woken = true;
        woken++;
    }
    return woken;
}

void mutex_init(struct mutex *mutex, bool recursive)
{
    (void)recursive;
    mutex->depth = 0;
}

void mutex_init_inherit(struct mutex *mutex, bool recursive)
{
    mutex_init(mutex, recursive);
}

void mutex_lock(struct mutex *mutex)
{
    if (mutex->depth++)
        broken("a mutex is taken twice");
}

int mutex_lock_interruptible(struct mutex *mutex, uint64_t deadline_ns)
{
    (void)deadline_ns;
    mutex_lock(mutex);
    return 0;
}

void mutex_unlock(struct mutex *mutex)
{
    if (--mutex->depth)
        broken("a mutex is let go that is not held");
}

bool mutex_is_mine(const struct mutex *mutex)
{
    return mutex->depth;
}

/* --- memory --- */

void *kmem_alloc(size_t size)
{
    world_blocks++;
    return calloc(1, size);
}

void kmem_free(void *ptr)
{
    world_blocks -= ptr != NULL;
    free(ptr);
}

void *pages_alloc(unsigned int order)
{
    if (world_pages + (1UL << order) > world_pages_max)
        return NULL;
    world_pages += 1UL << order;
    return aligned_alloc(PAGE_SIZE << order, PAGE_SIZE << order);
}

void *page_alloc_zeroed(void)
{
    void *page = pages_alloc(0);

    return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

void pages_free(void *pages, unsigned int order)
{
    if (!pages)
        return;
    world_pages -= 1UL << order;
    free(pages);
}

void page_get_stats(struct page_stats *stats)
{
    *stats = (struct page_stats){ world_pages_max, world_pages_max - world_pages };
}

/* --- xenstore --- */

static struct {
    char path[64], value[128];
} store[64];

int xenstore_write(xenstore_tx_t tx, const char *path, const void *value, size_t len)
{
    unsigned int i = 0;

    (void)tx;
    while (store[i].path[0] && strcmp(store[i].path, path) != 0)
        i++;
    snprintf(store[i].path, sizeof(store[i].path), "%s", path);
    snprintf(store[i].value, sizeof(store[i].value), "%.*s", (int)len, (const char *)value);
    return 0;
}

int xenstore_rm(xenstore_tx_t tx, const char *path)
{
    (void)tx;
    for (unsigned int i = 0; i < ARRAY_SIZE(store); i++)
        if (strcmp(store[i].path, path) == 0)
            store[i].value[0] = '\0';
    return 0;
}

const char *world_store(const char *path)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(store); i++)
        if (strcmp(store[i].path, path) == 0 && store[i].value[0])
            return store[i].value;
    return NULL;
}

/* --- files: sockets are used without --- */

void fd_watchers_init(struct fd_watchers *watchers)
{
    (void)watchers;
}

void fd_watchers_changed(struct fd_watchers *watchers)
{
    (void)watchers;
}

void fd_watchers_close(struct fd_watchers *watchers)
{
    (void)watchers;
}

int fd_open(const struct file_ops *ops, void *data, int flags)
{
    (void)ops, (void)data, (void)flags;
    broken("a descriptor");
}

struct file *file_get(int fd)
{
    (void)fd;
    return NULL;
}

void file_put(struct file *file)
{
    (void)file;
}

const struct file_ops *file_ops(const struct file *file)
{
    (void)file;
    return NULL;
}

void *file_data(const struct file *file)
{
    (void)file;
    return NULL;
}

int file_flags(const struct file *file)
{
    (void)file;
    return 0;
}

/* The framework's. */
void fake_xen_init(void)
{
}
