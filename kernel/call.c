/* SPDX-License-Identifier: MIT
 *
 * Calling a function on other vCPUs.  Each has a short queue of calls and an IPI that makes it look
 * there.  Who has to wait, for room or for an end, serves its own queue meanwhile, since the other
 * may be waiting for it in the same way; and when Xen isn't running the other vCPU it gives its
 * physical CPU away instead of spinning.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "hypercall/sched.h"
#include "kernel/ipi.h"
#include "kernel/sched_private.h"
#include "kernel/smp_private.h"

void smp_calls_run(struct smp_cpu *cpu)
{
    spin_lock(&cpu->lock);
    while (cpu->ncalls) {
        struct call call = cpu->calls[cpu->first_call];

        cpu->first_call = (cpu->first_call + 1) % CALLS_MAX;
        cpu->ncalls--;
        spin_unlock(&cpu->lock);
        call.fn(call.arg);
        if (call.pending)
            (void)atomic_fetch_sub(call.pending, 1); /* the last access: it lies on a stack */
        spin_lock(&cpu->lock);
    }
    spin_unlock(&cpu->lock);
}

void smp_calls_open(struct smp_cpu *cpu, bool open)
{
    spin_lock(&cpu->lock);
    cpu->takes_calls = open;
    spin_unlock(&cpu->lock);
    if (!open)
        smp_calls_run(cpu);
}

#define SPINS_MAX    1000
#define YIELDS_MAX   (SPINS_MAX + 2)
#define SLEEP_MIN_NS (16 * NS_PER_US)
#define SLEEP_MAX_NS (256 * NS_PER_US)

/* Nothing can be done but wait for `other`. Upcalls masked. `turns` counts the calls of this for
 * one wait. Yielding does when a CPU has two vCPUs; Xen may prefer us nevertheless, so then we
 * sleep. And not even a vCPU that Xen is running need get on: Xen's CPU may itself be one of
 * somebody's, who gives ours to it when we sleep. */
static void wait_for(const struct percpu *other, unsigned int *turns)
{
    struct smp_cpu *self = this_percpu()->smp;

    smp_stop_check(); /* our upcall would do it, but is masked */
    if (load_once(&self->ncalls)) {
        smp_calls_run(self);
    } else if (*turns < SPINS_MAX && load_once(&other->runstate.state) == RUNSTATE_running) {
        cpu_relax();
        ++*turns;
    } else if (*turns < YIELDS_MAX) {
        hypercall_sched_yield();
        *turns = MAX(*turns, SPINS_MAX) + 1;
    } else {
        hypercall_sched_poll(
            NULL, 0,
            arch_xen_deadline_ns(MIN(SLEEP_MIN_NS << (*turns - YIELDS_MAX), SLEEP_MAX_NS)));
        *turns = MIN(*turns + 1, YIELDS_MAX + 8U);
    }
}

/* 0, -XEN_ENODEV, or -XEN_EAGAIN: no room. */
static int try_push(struct smp_cpu *cpu, const struct call *call, bool *first)
{
    int rc = 0;

    spin_lock(&cpu->lock);
    if (!cpu->takes_calls) {
        rc = -XEN_ENODEV;
    } else if (cpu->ncalls == CALLS_MAX) {
        rc = -XEN_EAGAIN;
    } else {
        cpu->calls[(cpu->first_call + cpu->ncalls) % CALLS_MAX] = *call;
        *first = cpu->ncalls++ == 0;
    }
    spin_unlock(&cpu->lock);
    return rc;
}

/* Upcalls masked. */
static int push(unsigned int vcpu, const struct call *call)
{
    struct percpu *cpu = vcpu < MAX_VCPUS ? load_acquire(&percpus[vcpu]) : NULL;
    struct smp_cpu *smp = cpu ? load_acquire(&cpu->smp) : NULL;
    unsigned int turns = 0;
    bool first = false;
    int rc;

    if (!smp)
        return -XEN_ENODEV;
    while ((rc = try_push(smp, call, &first)) == -XEN_EAGAIN)
        wait_for(cpu, &turns);
    if (rc == 0 && first) /* else one is on its way already */
        rc = ipi_send(vcpu, IPI_CALL);
    return rc;
}

/* Call on each of `vcpus`, this vCPU among them or not; how many. */
static unsigned int call_each(const struct vcpu_set *vcpus, void (*fn)(void *arg), void *arg,
                              bool wait)
{
    unsigned int pending = 0, called = 0, turns = 0, vcpu;
    struct call call = { fn, arg, wait ? &pending : NULL };
    bool enabled = upcalls_save(); /* from here on this thread stays on this vCPU */
    unsigned int self = this_percpu()->vcpu;

    vcpu_set_for_each(vcpu, vcpus)
    {
        if (vcpu == self)
            continue;
        (void)atomic_fetch_add(&pending, 1); /* before it can be counted down */
        if (push(vcpu, &call))
            (void)atomic_fetch_sub(&pending, 1);
        else
            called++;
    }
    if (vcpu_set_has(vcpus, self)) {
        fn(arg);
        called++;
    }
    vcpu = vcpu_set_first(vcpus);
    while (wait && load_acquire(&pending)) { /* pairs with the countdown in smp_calls_run() */
        wait_for(percpus[vcpu], &turns);
        vcpu = vcpu_set_next(vcpus, vcpu + 1);
        if (vcpu == VCPU_SET_NONE)
            vcpu = vcpu_set_first(vcpus);
    }
    sched_unmask(enabled); /* fn may have woken a better thread here */
    return called;
}

int smp_call(unsigned int vcpu, void (*fn)(void *arg), void *arg, bool wait)
{
    struct vcpu_set one = { { 0 } };

    if (vcpu >= MAX_VCPUS)
        return -XEN_ENODEV;
    one.bits[vcpu / BITS_PER_LONG] = 1UL << vcpu % BITS_PER_LONG;
    return call_each(&one, fn, arg, wait) ? 0 : -XEN_ENODEV;
}

unsigned int smp_call_many(const struct vcpu_set *vcpus, void (*fn)(void *arg), void *arg,
                           bool wait)
{
    struct vcpu_set online;

    for (unsigned int word = 0; word < ARRAY_SIZE(online.bits); word++)
        online.bits[word] = load_once(&vcpus->bits[word]) & load_once(&vcpus_online.bits[word]);
    return call_each(&online, fn, arg, wait);
}

unsigned int smp_call_all(void (*fn)(void *arg), void *arg, bool wait)
{
    return smp_call_many(&vcpus_online, fn, arg, wait);
}
