/* SPDX-License-Identifier: MIT
 *
 * The scheduler's beginning and its leisure: a run queue for each vCPU, and the idle loop, in which
 * a vCPU without work takes some from another before it blocks.
 */
#include "events/events.h"
#include "kernel/sched_private.h"
#include "lib/panic.h"
#include "mm/kmem.h"

bool sched_several_vcpus;
/* vCPUs that are about to block, or have. */
static unsigned long idle_vcpus[(MAX_VCPUS + BITS_PER_LONG - 1) / BITS_PER_LONG];
static struct thread boot_thread;

void idle_invite(const struct percpu *busy)
{
    memory_barrier(); /* the thread is in its queue before we look who is idle; see idle_take() */
    for (unsigned int word = 0; word < ARRAY_SIZE(idle_vcpus); word++) {
        for (unsigned long bits = load_once(&idle_vcpus[word]); bits; bits &= bits - 1) {
            unsigned int vcpu = word * BITS_PER_LONG + lowest_bit(bits);

            /* Whoever clears the bit sends the event: the next thread invites another vCPU. */
            if (vcpu != busy->vcpu && bit_test_and_clear(idle_vcpus, vcpu)) {
                if (percpus[vcpu] != this_percpu())
                    event_notify(percpus[vcpu]->runq->kick_port);
                return;
            }
        }
    }
}

/* One ready thread of a busy vCPU's, moved to `rq`, this vCPU's. */
static bool idle_take_from(struct runq *rq, struct runq *busy)
{
    struct thread *thread = NULL;

    if (!load_once(&busy->ready) || load_once(&busy->cpu->current) == busy->idle)
        return false;
    spin_lock(&busy->lock);
    if (busy->ready)
        thread = sched_dequeue(busy);
    spin_unlock(&busy->lock);
    if (thread)
        sched_start(thread, rq);
    return thread != NULL;
}

/* Look for work elsewhere. This vCPU is in idle_vcpus already: a thread that this look misses finds
 * it there. */
static bool idle_take(struct runq *rq)
{
    for (unsigned int i = 1; i < MAX_VCPUS; i++) {
        struct percpu *other = load_acquire(&percpus[(rq->cpu->vcpu + i) % MAX_VCPUS]);
        struct runq *busy = other ? load_acquire(&other->runq) : NULL;

        if (busy && idle_take_from(rq, busy))
            return true;
    }
    return false;
}

/* Upcalls masked on entry and return. */
static void idle_block(struct runq *rq)
{
    unsigned int vcpu = rq->cpu->vcpu;
    uint64_t start_ns;

    if (sched_several_vcpus)
        bit_test_and_set(idle_vcpus, vcpu);
    if (!sched_several_vcpus || !idle_take(rq)) {
        start_ns = time_now_ns();
        hypercall_sched_block(); /* returns at once if an event came since the look at `ready` */
        upcalls_disable();
        store_once(&rq->idle_ns, rq->idle_ns + time_now_ns() - start_ns);
    }
    if (sched_several_vcpus)
        bit_test_and_clear(idle_vcpus, vcpu);
}

void sched_idle(void)
{
    struct thread *self = current_thread();
    struct runq *rq;

    upcalls_disable();
    rq = this_percpu()->runq; /* for good: nobody takes an idle thread */
    thread_set_name(self, "idle");
    spin_lock(&rq->lock);
    self->priority = PRIORITIES;
    rq->idle = self;
    spin_unlock(&rq->lock);
    for (;;) {
        if (load_once(&rq->ready))
            sched_switch();
        else
            idle_block(rq);
    }
}

/* Its work is done when the upcall ends: sched_preempt(), or the idle loop's next turn. */
static void kick_event(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
}

static int kick_bind(struct percpu *cpu)
{
    if (cpu->runq->kick_port)
        return 0;
    return event_bind_ipi(cpu->vcpu, kick_event, NULL, &cpu->runq->kick_port);
}

static int runq_create(struct percpu *cpu)
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
    context_tls_init(&boot_thread.context, tls, stack_bottom);
    context_adopt(&boot_thread.context);
    cpu->current = &boot_thread;
    return 0;
}

int sched_cpu_init(struct percpu *cpu)
{
    struct thread *idle = thread_alloc("idle", KERNEL_STACK_ORDER, PRIORITIES);
    int rc = idle ? 0 : -XEN_ENOMEM;

    if (rc == 0 && !cpu->runq)
        rc = runq_create(cpu);
    if (rc == 0)
        rc = kick_bind(cpu);
    if (rc == 0)
        rc = kick_bind(percpus[0]);
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

void sched_get_stats(struct sched_stats *stats)
{
    *stats = (struct sched_stats){ .threads = thread_count() };
    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS; vcpu++) {
        struct runq *rq = percpus[vcpu] ? percpus[vcpu]->runq : NULL;

        if (rq) {
            stats->switches += load_once(&rq->switches);
            stats->idle_ns += load_once(&rq->idle_ns);
        }
    }
}
