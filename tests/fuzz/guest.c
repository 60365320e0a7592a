/* SPDX-License-Identifier: MIT
 *
 * The fuzzed guest's kernel, in its simplest form: a thread that would sleep lets the other end
 * have its turn instead, and runs into its deadline when the other end has nothing left to do.
 */
#include "tests/fuzz/guest.h"
#include <stdio.h>
#include <stdlib.h>
#include "arch/clock.h"
#include "arch/irq.h"
#include "events/events.h"
#include "kernel/mutex.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "mm/kmem.h"

struct input input;
uint64_t guest_now_ns = 1;
unsigned long guest_blocks;
struct percpu percpu_boot, *percpus[MAX_VCPUS];
struct vcpu_set vcpus_online = { { 1 } };
_Thread_local struct percpu *fake_percpu;
_Thread_local struct thread *fake_current;

bool input_left(void)
{
    return input.at < input.end;
}

uint8_t input_byte(void)
{
    return input_left() ? *input.at++ : 0;
}

uint32_t input_u32(void)
{
    uint32_t value = 0;

    for (unsigned int i = 0; i < 4; i++)
        value = value << 8 | input_byte();
    return value;
}

const uint8_t *input_bytes(size_t *len)
{
    const uint8_t *bytes = input.at;

    if (*len > (size_t)(input.end - input.at))
        *len = input.end - input.at;
    input.at += *len;
    return bytes;
}

_Noreturn void guest_broken(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
    abort();
}

long fake_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
                    unsigned long a4, unsigned long a5)
{
    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    if (nr == __HYPERVISOR_event_channel_op && a1 == EVTCHNOP_send)
        other_end_notified();
    else
        guest_now_ns += NS_PER_MS; /* a yield */
    return 0;
}

/* --- no interrupts --- */

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

bool may_sleep(void)
{
    return !masked;
}

int event_bind(evtchn_port_t port, event_handler *handler, void *arg)
{
    (void)port;
    (void)handler;
    (void)arg;
    return 0;
}

/* --- time --- */

uint64_t arch_clock_ns(void)
{
    return guest_now_ns;
}

uint64_t time_now_ns(void)
{
    return guest_now_ns;
}

uint64_t time_after_ns(uint64_t ns)
{
    return guest_now_ns + ns;
}

void timer_init(struct timer *timer, void (*fn)(void *arg), void *arg)
{
    *timer = (struct timer){ .fn = fn, .arg = arg };
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    timer->deadline_ns = deadline_ns;
}

/* --- waiting --- */

void waitq_init(struct waitq *q)
{
    *q = (struct waitq)WAITQ_INIT(*q);
}

bool waitq_lock(struct waitq *q)
{
    MUST(!q->lock.held); /* one thread: it would wait for itself */
    return spin_lock_save(&q->lock);
}

void waitq_unlock(struct waitq *q, bool enabled)
{
    spin_unlock_restore(&q->lock, enabled);
}

int waitq_sleep(struct waitq *q, uint64_t deadline_ns)
{
    bool woken;

    if (guest_now_ns >= deadline_ns)
        return -XEN_ETIMEDOUT;
    spin_unlock(&q->lock);
    masked = false;
    woken = other_end_turn();
    masked = true;
    spin_lock(&q->lock);
    MUST(woken || deadline_ns != TIME_NEVER);
    if (!woken)
        guest_now_ns = deadline_ns;
    return woken ? 0 : -XEN_ETIMEDOUT;
}

int waitq_sleep_interruptible(struct waitq *q, uint64_t deadline_ns)
{
    return waitq_sleep(q, deadline_ns); /* there is no other thread to interrupt this one */
}

unsigned int waitq_wake_one_locked(struct waitq *q)
{
    MUST(q->lock.held);
    return 0;
}

void signal_init(struct signal *signal)
{
    waitq_init(&signal->q);
    signal->raised = false;
}

void signal_raise(struct signal *signal)
{
    signal->raised = true;
}

int signal_wait(struct signal *signal, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&signal->q);
    int rc = 0;

    while (!signal->raised && rc == 0)
        rc = waitq_sleep(&signal->q, deadline_ns);
    if (signal->raised)
        rc = 0;
    signal->raised = false;
    waitq_unlock(&signal->q, enabled);
    return rc;
}

void mutex_lock(struct mutex *mutex)
{
    MUST(!mutex->depth++);
}

void mutex_unlock(struct mutex *mutex)
{
    MUST(!--mutex->depth);
}

int thread_create(struct thread **thread, const char *name, unsigned int stack_order,
                  enum thread_priority priority, void (*fn)(void *arg), void *arg)
{
    (void)name;
    (void)stack_order;
    (void)priority;
    (void)fn;
    (void)arg;
    *thread = NULL;
    return 0;
}

/* --- memory --- */

void *kmem_alloc(size_t size)
{
    guest_blocks++;
    return calloc(1, size);
}

void kmem_free(void *ptr)
{
    guest_blocks -= ptr != NULL;
    free(ptr);
}
