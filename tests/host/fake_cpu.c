/* SPDX-License-Identifier: MIT
 *
 * The fake vCPUs: percpu, the upcall mask, delivering upcalls, the clock, panic.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "arch/clock.h"
#include "arch/cpu.h"
#include "lib/irq.h"
#include "lib/atomic.h"
#include "lib/panic.h"
#include "tests/host/fake_xen.h"

FAKE struct percpu *percpus[MAX_VCPUS];
FAKE struct vcpu_set vcpus_online = { { 1 } };
FAKE struct percpu percpu_boot;
_Thread_local struct percpu *fake_percpu;
_Thread_local struct thread *fake_current;

/* Pulled in only by tests that have events. */
extern void events_upcall(void) __attribute__((weak));

/* With the fake kernel, "vCPU 0 has upcalls masked" is "this pthread holds mask_lock". */
static bool upcalls_in_thread;
static pthread_mutex_t mask_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t upcall_due = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t due_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool mask_held;

static uint64_t time_skipped_ns;

void fake_cpu_init(void)
{
    percpu_boot.self = &percpu_boot;
    percpus[0] = &percpu_boot;
    percpu_boot.vcpu_info.evtchn_upcall_mask = 1;
}

struct percpu *fake_cpu_adopt(unsigned int vcpu)
{
    if (!percpus[vcpu]) {
        percpus[vcpu] = aligned_alloc(128, sizeof(struct percpu));
        memset(percpus[vcpu], 0, sizeof(struct percpu));
        percpus[vcpu]->self = percpus[vcpu];
        percpus[vcpu]->vcpu = vcpu;
        percpus[vcpu]->vcpu_info.evtchn_upcall_mask = 1;
        vcpu_set_add(&vcpus_online, vcpu);
    }
    fake_percpu = percpus[vcpu];
    return fake_percpu;
}

static bool masked_by_lock(void)
{
    return load_acquire(&upcalls_in_thread) && this_percpu()->vcpu == 0;
}

/* The upcall as the entry code makes it. */
static void run_upcall(struct percpu *cpu)
{
    if (events_upcall)
        events_upcall();
    else
        store_once(&cpu->vcpu_info.evtchn_upcall_pending, 0);
}

void fake_deliver(void)
{
    struct percpu *cpu = this_percpu();
    struct vcpu_info *info = &cpu->vcpu_info;

    if (masked_by_lock())
        return;
    while (load_acquire(&info->evtchn_upcall_pending) && !info->evtchn_upcall_mask) {
        info->evtchn_upcall_mask = 1; /* Xen's part of an upcall */
        run_upcall(cpu);
        info->evtchn_upcall_mask = 0;
    }
}

void upcalls_disable(void)
{
    if (!masked_by_lock()) {
        this_percpu()->vcpu_info.evtchn_upcall_mask = 1;
    } else if (!mask_held) {
        pthread_mutex_lock(&mask_lock);
        mask_held = true;
    }
}

void upcalls_enable(void)
{
    if (!masked_by_lock()) {
        this_percpu()->vcpu_info.evtchn_upcall_mask = 0;
        fake_deliver();
    } else if (mask_held) {
        mask_held = false;
        pthread_mutex_unlock(&mask_lock);
    }
}

bool upcalls_enabled(void)
{
    return masked_by_lock() ? !mask_held : !this_percpu()->vcpu_info.evtchn_upcall_mask;
}

void fake_upcall_set(unsigned int vcpu)
{
    struct percpu *cpu = percpus[vcpu];

    if (!cpu)
        return;
    pthread_mutex_lock(&due_lock);
    store_release(&cpu->vcpu_info.evtchn_upcall_pending, 1);
    pthread_cond_broadcast(&upcall_due);
    pthread_mutex_unlock(&due_lock);
}

static void *upcall_thread(void *arg)
{
    struct vcpu_info *info = &percpu_boot.vcpu_info;

    (void)arg;
    for (;;) {
        pthread_mutex_lock(&due_lock);
        while (!load_acquire(&info->evtchn_upcall_pending))
            pthread_cond_wait(&upcall_due, &due_lock);
        pthread_mutex_unlock(&due_lock);
        upcalls_disable();
        run_upcall(&percpu_boot);
        upcalls_enable();
    }
    return NULL;
}

void fake_upcalls_to_thread(void)
{
    pthread_t thread;

    if (upcalls_in_thread)
        return;
    if (!upcalls_enabled())
        fake_domain_ends("the first thread was made with upcalls masked");
    store_release(&upcalls_in_thread, true);
    if (pthread_create(&thread, NULL, upcall_thread, NULL))
        abort();
    pthread_detach(thread);
}

uint64_t arch_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec + load_once(&time_skipped_ns);
}

void fake_time_skip(uint64_t ns)
{
    atomic_fetch_add(&time_skipped_ns, ns);
}

void fake_pause_ms(unsigned int ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

void arch_timer_set(uint64_t deadline_ns)
{
    fake_xen.timer_ns[this_percpu()->vcpu] = deadline_ns;
}

uint64_t cpu_ticks(void)
{
    return arch_clock_ns();
}

uint64_t cpu_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    return atomic_fetch_add(&state, 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
}

FAKE _Noreturn void panic(const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fake_domain_ends("panic: %s", text);
}
