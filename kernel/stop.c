/* SPDX-License-Identifier: MIT
 *
 * Stopping the other vCPUs when one panics, and showing what they were doing.  A vCPU notes where
 * it is and stops, in the upcall of its port; one that has upcalls masked, or that Xen doesn't run,
 * is stopped from outside after a while.  No locks: whoever holds one may be stopped.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/smp.h"
#include "hypercall/sched.h"
#include "kernel/ipi.h"
#include "kernel/smp_private.h"
#include "kernel/thread.h"
#include "lib/log.h"
#include "lib/panic.h"

#define STOP_WAIT_NS (200 * NS_PER_MS)

static bool stopping;
static unsigned int stopper; /* the vCPU that panics */

static _Noreturn void stop_here(unsigned long pc, const unsigned long *frame, const char *reason)
{
    struct smp_cpu *self = this_percpu()->smp;

    self->stopped_pc = pc;
    self->stopped_frame = frame;
    self->stopped_reason = reason;       /* on our stack, which stays as it is */
    store_release(&self->stopped, true); /* pairs with all_stopped() and show() */
    for (;;)
        cpu_stop();
}

void smp_stop_check(void)
{
    if (load_once(&stopping))
        stop_here(0, cpu_frame(), NULL);
}

static bool all_stopped(void)
{
    unsigned int vcpu;

    vcpu_set_for_each(vcpu, &vcpus_online)
    {
        if (vcpu != stopper && !load_acquire(&percpus[vcpu]->smp->stopped))
            return false;
    }
    return true;
}

static void stop_others(void)
{
    uint64_t deadline_ns = arch_clock_ns() + STOP_WAIT_NS;
    unsigned int vcpu;

    stopper = this_percpu()->vcpu;
    store_release(&stopping, true);
    vcpu_set_for_each(vcpu, &vcpus_online)
    {
        if (vcpu != stopper)
            ipi_send(vcpu, IPI_CALL);
    }
    while (!all_stopped() && arch_clock_ns() < deadline_ns)
        hypercall_sched_yield();
    vcpu_set_for_each(vcpu, &vcpus_online)
    {
        if (vcpu != stopper)
            cpu_stop_other(vcpu);
    }
}

static void show_self(void)
{
    log_error("vCPU %u, thread %s:", stopper, thread_name(current_thread()));
}

static void show_one(const struct percpu *cpu)
{
    const struct smp_cpu *smp = cpu->smp;
    unsigned long bottom, top;

    if (!load_acquire(&smp->stopped)) {
        log_error("vCPU %u, thread %s: did not stop, upcalls masked or not scheduled", cpu->vcpu,
                  thread_name(cpu->current));
        return;
    }
    log_error("vCPU %u, thread %s%s%s:", cpu->vcpu, thread_name(cpu->current),
              smp->stopped_reason ? ", panics too: " : "",
              smp->stopped_reason ? smp->stopped_reason : "");
    thread_stack_bounds(cpu->current, &bottom, &top);
    backtrace_of(smp->stopped_pc, smp->stopped_frame, bottom, top);
}

static void show_others(void)
{
    unsigned int vcpu;

    vcpu_set_for_each(vcpu, &vcpus_online)
    {
        if (vcpu != stopper)
            show_one(percpus[vcpu]);
    }
}

void smp_stop_init(void)
{
    static const struct panic_others others = { stop_others, show_self, show_others, stop_here };

    panic_set_others(&others);
}
