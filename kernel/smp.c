/* SPDX-License-Identifier: MIT
 *
 * Starting and stopping vCPUs.  What a vCPU has of its own is made once, before its first start,
 * and kept when it is stopped: Xen takes a vcpu_info only once, and its ports stay bound to it.  A
 * vCPU says itself that it has arrived; who waits for it gives up after a second, but it may still
 * come.
 */
#include "arch/page.h"
#include "arch/smp.h"
#include "events/events.h"
#include "hypercall/sched.h"
#include "hypercall/vcpu.h"
#include "kernel/ipi.h"
#include "kernel/mutex.h"
#include "kernel/sched_private.h"
#include "kernel/smp_private.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mm/kmem.h"

#define ARRIVE_WAIT_NS NS_PER_S
#define LEAVE_WAIT_NS  NS_PER_S
#define YIELDS_MAX     2
#define DOWN_LOOK_NS   (100 * NS_PER_US)

static struct smp_cpu boot_smp;
static struct mutex hotplug = MUTEX_INIT(hotplug); /* who starts and stops vCPUs */
static struct waitq changed = WAITQ_INIT(changed); /* a vCPU came or went */

static void called(void)
{
    smp_stop_check();
    smp_calls_run(this_percpu()->smp);
}

static void runstate_register(struct percpu *cpu)
{
    int rc = hypercall_vcpu_register_runstate(cpu->vcpu, &cpu->runstate);

    if (rc)
        log_warn("vCPU %u: no runstate: %s; stolen time is not known", cpu->vcpu, error_name(rc));
}

/* On the vCPU itself, upcalls masked: it takes part from here on. */
static void join(struct percpu *cpu)
{
    store_release(&cpu->smp->running, true);
    smp_calls_open(cpu->smp, true);
    vcpu_set_add(&vcpus_online, cpu->vcpu);
    waitq_wake_all(&changed);
}

/* The idle thread of a vCPU that is to leave, nothing else being there any more. */
static void park(void)
{
    struct percpu *cpu = this_percpu();

    smp_calls_open(cpu->smp, false);
    store_release(&cpu->smp->running, false); /* pairs with is_parked() */
    waitq_wake_all(&changed);
    cpu_stop();
    sched_cpu_rejoin();
    join(cpu);
}

void smp_init(void)
{
    struct percpu *cpu = this_percpu();

    boot_smp.takes_calls = boot_smp.running = true;
    cpu->smp = &boot_smp;
    sched_set_park(park);
    runstate_register(cpu);
    smp_stop_init();
}

bool smp_vcpu_exists(unsigned int vcpu)
{
    return vcpu < MAX_VCPUS && cpu_is_up(vcpu) >= 0;
}

/* A new vCPU's first C code. */
static void arrive(void)
{
    struct percpu *cpu = this_percpu();
    int rc;

    cpu_start_self();
    runstate_register(cpu);
    rc = time_init(NULL);
    if (rc)
        panic("vCPU %u has no timer: %s", cpu->vcpu, error_name(rc));
    store_release(&cpu->smp->arrived, true);
    join(cpu);
    sched_idle();
}

/* Memory for a vCPU, known to Xen as its vcpu_info. Not freed: Xen takes it only once. */
static int percpu_create(unsigned int vcpu)
{
    size_t align = _Alignof(struct percpu);
    char *memory = kmem_alloc(sizeof(struct percpu) + align - 1);
    struct smp_cpu *smp = kmem_alloc(sizeof(*smp));
    struct percpu *cpu;
    int rc = -XEN_ENOMEM;

    if (memory && smp) {
        cpu = (struct percpu *)ROUND_UP((unsigned long)memory, align);
        cpu->self = cpu;
        cpu->vcpu = vcpu;
        upcalls_begin_masked(cpu);
        rc = hypercall_vcpu_register_info(vcpu, virt_to_mfn(&cpu->vcpu_info).n,
                                          (unsigned long)&cpu->vcpu_info & ~PAGE_MASK);
    }
    if (rc) {
        kmem_free(memory);
        kmem_free(smp);
        return rc;
    }
    upcalls_begin_masked(cpu); /* Xen may have copied another one over it */
    cpu->smp = smp;
    store_release(&percpus[vcpu], cpu); /* complete before anybody looks */
    return 0;
}

/* All that it needs before it may run; what an earlier try left is used. */
static int prepare(unsigned int vcpu)
{
    int rc = percpus[vcpu] ? 0 : percpu_create(vcpu);
    struct percpu *cpu = percpus[vcpu];

    if (rc == 0 && !cpu->events)
        rc = events_cpu_init(cpu);
    if (rc == 0 && !cpu->current)
        rc = sched_cpu_init(cpu);
    if (rc == 0)
        rc = ipi_bind(0, IPI_CALL, called);
    return rc ? rc : ipi_bind(cpu->vcpu, IPI_CALL, called);
}

static bool is_online(unsigned int vcpu)
{
    return vcpu_set_has(&vcpus_online, vcpu);
}

static bool is_parked(unsigned int vcpu)
{
    return !load_acquire(&percpus[vcpu]->smp->running);
}

/* 0 or -XEN_ETIMEDOUT. */
static int await(bool (*what)(unsigned int vcpu), unsigned int vcpu, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&changed);
    int rc = 0;

    while (!what(vcpu) && rc == 0)
        rc = waitq_sleep(&changed, deadline_ns);
    if (what(vcpu))
        rc = 0;
    waitq_unlock(&changed, enabled);
    return rc;
}

/* A vCPU that was just let run may only need our CPU to arrive: cheaper than to sleep and be woken.
 * *deadline_ns, 0 at first, is set when there is reason to look at the clock. */
static int await_online(unsigned int vcpu, uint64_t *deadline_ns)
{
    for (unsigned int turn = 0; turn < YIELDS_MAX && !is_online(vcpu); turn++)
        hypercall_sched_yield();
    if (is_online(vcpu))
        return 0;
    if (*deadline_ns == 0)
        *deadline_ns = time_after_ns(ARRIVE_WAIT_NS);
    return await(is_online, vcpu, *deadline_ns);
}

/* Until it has parked and Xen has stopped it: started before, it would stop afterwards. */
static int await_down(unsigned int vcpu)
{
    uint64_t deadline_ns = time_after_ns(LEAVE_WAIT_NS);
    int rc = await(is_parked, vcpu, deadline_ns);

    while (rc == 0 && cpu_is_up(vcpu) == 1) {
        thread_sleep_until(time_after_ns(DOWN_LOOK_NS));
        rc = time_now_ns() < deadline_ns ? 0 : -XEN_ETIMEDOUT;
    }
    return rc;
}

/* It exists. held: hotplug */
static int begin(unsigned int vcpu)
{
    int rc = prepare(vcpu);
    struct percpu *cpu = percpus[vcpu];

    if (rc)
        return rc;
    if (cpu->smp->started) {
        if (!load_acquire(&cpu->smp->arrived))
            return 0; /* still expected */
        rc = await_down(vcpu);
        return rc ? rc : cpu_restart(vcpu);
    }
    rc = cpu_start(cpu, &cpu->current->context, arrive);
    cpu->smp->started = rc == 0;
    return rc;
}

void smp_start(bool (*wanted)(unsigned int vcpu))
{
    struct vcpu_set started = { { 0 } };
    uint64_t deadline_ns = 0;
    unsigned int vcpu;

    mutex_lock(&hotplug);
    for (vcpu = 1; smp_vcpu_exists(vcpu); vcpu++) {
        int rc = wanted(vcpu) ? begin(vcpu) : -XEN_ENOENT;

        if (rc == 0)
            vcpu_set_add(&started, vcpu);
        else if (rc != -XEN_ENOENT)
            log_error("vCPU %u cannot be started: %s; going on without it", vcpu, error_name(rc));
    }
    vcpu_set_for_each(vcpu, &started)
    {
        if (await_online(vcpu, &deadline_ns))
            log_error("vCPU %u did not arrive within a second; going on without it", vcpu);
    }
    mutex_unlock(&hotplug);
}

int smp_vcpu_up(unsigned int vcpu)
{
    uint64_t deadline_ns = 0;
    int rc = 0;

    mutex_lock(&hotplug);
    if (!smp_vcpu_exists(vcpu))
        rc = -XEN_ENOENT;
    else if (!is_online(vcpu))
        rc = begin(vcpu);
    if (rc == 0)
        rc = await_online(vcpu, &deadline_ns);
    mutex_unlock(&hotplug);
    return rc;
}

/* held: hotplug */
static int end(unsigned int vcpu)
{
    int rc;

    if (!vcpu_set_remove(&vcpus_online, vcpu))
        return 0;
    events_leave(vcpu);
    sched_cpu_leave(percpus[vcpu]);
    rc = await_down(vcpu);
    events_leave(vcpu); /* what came to be bound or moved there meanwhile */
    return rc;
}

int smp_vcpu_down(unsigned int vcpu)
{
    int rc;

    if (vcpu == 0 || vcpu >= MAX_VCPUS)
        return -XEN_EINVAL;
    mutex_lock(&hotplug);
    rc = end(vcpu);
    mutex_unlock(&hotplug);
    return rc;
}
