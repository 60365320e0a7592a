/* SPDX-License-Identifier: MIT
 *
 * The scheduler's beginning and its leisure: a run queue for each vCPU, and the idle loop.
 */
#include "kernel/ipi.h"
#include "kernel/sched_private.h"
#include "lib/panic.h"
#include "mm/kmem.h"

bool sched_several_vcpus;
static struct thread boot_thread;

/* Upcalls masked on entry and return. */
static void idle_block(struct runq *rq)
{
    if (sched_several_vcpus)
        sched_idle_begin(rq->cpu->vcpu);
    if (!sched_several_vcpus || !sched_take(rq)) {
        store_once(&rq->idle_ns, rq->idle_ns - (int64_t)time_now_ns()); /* it was idle for less */
        hypercall_sched_block(); /* returns at once if an event came since the look at `ready` */
        upcalls_disable();
        store_once(&rq->idle_ns, rq->idle_ns + (int64_t)time_now_ns());
    }
    if (sched_several_vcpus)
        sched_idle_end(rq->cpu->vcpu);
}

void sched_idle(void)
{
    struct thread *self = current_thread();
    struct runq *rq;

    upcalls_disable();
    rq = this_percpu()->runq; /* for good: nobody takes an idle thread */
    thread_set_name(self, "idle");
    spin_lock(&rq->lock);
    self->priority = rq->running = PRIORITIES;
    self->must_move = true; /* tells it apart: see sched_switch() */
    rq->idle = self;
    spin_unlock(&rq->lock);
    vcpu_set_add(&sched_vcpus, rq->cpu->vcpu);
    for (;;) {
        if (rq->cpu->kicks_due)
            sched_send_kicks(rq->cpu);
        if (load_once(&rq->ready))
            sched_switch();
        else if (load_once(&rq->cpu->leaving))
            sched_park(rq);
        else
            idle_block(rq);
    }
}

/* The rest of its work is done when the upcall ends: sched_preempt(), or the idle loop's next turn.
 */
static void kicked(void)
{
    timers_kicked(this_percpu()->timers);
}

__attribute__((cold)) static int runq_create(struct percpu *cpu)
{
    struct runq *rq = kmem_alloc(sizeof(*rq));

    cpu->timers = timers_create();
    if (!rq || !cpu->timers) {
        kmem_free(rq);
        kmem_free(cpu->timers);
        cpu->timers = NULL;
        return -XEN_ENOMEM;
    }
    sched_queue_init(rq, cpu);
    cpu->runq = rq;
    return 0;
}

/* The thread register changes under this function's feet: no canary in it. */
__attribute__((no_stack_protector)) int sched_init(void *stack_bottom, void *stack_top)
{
    struct percpu *cpu = this_percpu();
    void *tls = kmem_alloc(context_tls_size()); /* the stack's top is in use */
    int rc = tls ? runq_create(cpu) : -XEN_ENOMEM;

    if (rc) {
        kmem_free(tls);
        return rc;
    }
    thread_init(&boot_thread, "boot", PRIORITY_NORMAL);
    boot_thread.stack_bottom = (unsigned long)stack_bottom;
    boot_thread.stack_top = (unsigned long)stack_top;
    boot_thread.runq = cpu->runq;
    boot_thread.state = THREAD_RUNNING;
    boot_thread.affinity =
        (struct vcpu_set){ { 1 } }; /* to be this vCPU's idle thread, no other's */
    boot_thread.runq->running = PRIORITY_NORMAL;
    vcpu_set_add(&sched_vcpus, cpu->vcpu);
    context_tls_init(&boot_thread.context, tls, stack_bottom);
    context_adopt(&boot_thread.context);
    cpu->current = &boot_thread;
    return 0;
}

__attribute__((cold)) int sched_cpu_init(struct percpu *cpu)
{
    struct thread *idle = thread_alloc("idle", KERNEL_STACK_ORDER, PRIORITIES);
    int rc = idle ? 0 : -XEN_ENOMEM;

    if (rc == 0 && !cpu->runq)
        rc = runq_create(cpu);
    if (rc == 0)
        rc = ipi_bind(cpu->vcpu, IPI_KICK, kicked);
    if (rc == 0)
        rc = ipi_bind(0, IPI_KICK, kicked);
    if (rc) {
        if (idle)
            thread_free(idle);
        return rc; /* what there is stays for the next try */
    }
    idle->runq = cpu->runq;
    idle->state = THREAD_RUNNING;
    cpu->current = idle;
    store_release(&sched_several_vcpus, true);
    return 0;
}
