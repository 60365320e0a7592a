/* SPDX-License-Identifier: MIT
 *
 * The simulated machine under kernel/: vCPUs whose turn comes by a seeded choice, fibers as the
 * contexts of threads, upcalls, one-shot timers, IPIs, a clock that differs a little between vCPUs.
 * Only sim.h includes this.
 */
#pragma once
#include <stdlib.h>
#include <ucontext.h>
#include <sanitizer/common_interface_defs.h>

#define SIM_STACK_SIZE (256 << 10)
#define NOT_RUNNING    UINT32_MAX

/* What a context is here: context->sp points at it. */
struct sim_fiber {
    ucontext_t registers;
    void *asan;
    const void *bottom;
    size_t size;
    unsigned int vcpu; /* that it runs on */
    struct sim_fiber *next;
};

struct sim_vcpu {
    struct percpu percpu;
    struct sim_fiber *fiber; /* running, or to go on with at its turn */
    bool blocked;
    uint64_t timer_ns;
    bool timer_due, device_due, kick_due;
    bool parked, wanted; /* stopped; to go on */
    int skew_ns;
    uint64_t stolen_ns;
    event_handler *timer_handler;
    void (*kick_handler)(void);
};

static struct {
    bool active, failed;
    unsigned int vcpus, vcpu;
    uint64_t random, seed;
    uint64_t now_ns;
    uint64_t step_ns;  /* time passes by up to twice this per point */
    unsigned int turn; /* vCPUs change at one in `turn` points */
    uint64_t points, points_max;
    unsigned int timer_sets, blocks, notifies;
    void (*on_point)(void);            /* Xen's or a test's own doings, not in any vCPU */
    void (*device)(unsigned int vcpu); /* in an upcall, at random points, when set */
    unsigned int device_rate;          /* one in that many points */
    void (*body)(void);
    void (*at_boot)(void); /* in the boot thread, before it becomes the idle thread */
    struct sim_vcpu *all;
    struct sim_fiber base, *fibers;
} sim = { .step_ns = 500, .now_ns = NS_PER_S };

static inline uint64_t sim_random(uint64_t below)
{
    sim.random ^= sim.random << 13;
    sim.random ^= sim.random >> 7;
    sim.random ^= sim.random << 17;
    return (sim.random >> 11) % below;
}

static void sim_fiber_switch(struct sim_fiber *from, struct sim_fiber *to)
{
    __sanitizer_start_switch_fiber(&from->asan, to->bottom, to->size);
    swapcontext(&from->registers, &to->registers);
    __sanitizer_finish_switch_fiber(from->asan, NULL, NULL);
}

static struct sim_fiber *sim_fiber_new(const void *bottom, size_t size, void (*entry)(void))
{
    struct sim_fiber *fiber = calloc(1, sizeof(*fiber));

    fiber->next = sim.fibers;
    sim.fibers = fiber;
    fiber->bottom = bottom;
    fiber->size = size;
    fiber->vcpu = NOT_RUNNING;
    getcontext(&fiber->registers);
    fiber->registers.uc_stack = (stack_t){ .ss_sp = (void *)bottom, .ss_size = size };
    makecontext(&fiber->registers, entry, 0);
    return fiber;
}

/* The run is over: sim_run() goes on. */
static _Noreturn void sim_leave(void)
{
    static struct sim_fiber gone;

    sim.active = false;
    sim_fiber_switch(&gone, &sim.base);
    abort();
}

static _Noreturn void sim_fail(const char *what)
{
    test_fail(__FILE__, __LINE__, "seed %" PRIu64 ", %u vCPUs: %s", sim.seed, sim.vcpus, what);
    sim.failed = true;
    sim_leave();
}

/* --- vCPUs ---------------------------------------------------------------------------------------
 */

static void sim_upcall_raise(struct sim_vcpu *vcpu)
{
    vcpu->percpu.vcpu_info.evtchn_upcall_pending = 1;
    vcpu->blocked = false;
}

static void sim_timers_check(void)
{
    for (unsigned int i = 0; i < sim.vcpus; i++) {
        struct sim_vcpu *vcpu = &sim.all[i];

        if (vcpu->timer_ns <= sim.now_ns) {
            vcpu->timer_ns = TIME_NEVER;
            vcpu->timer_due = true;
            sim_upcall_raise(vcpu);
        }
    }
}

/* A vCPU that can go on, not the running one; NOT_RUNNING when there is none. */
static unsigned int sim_choose(void)
{
    unsigned int count = 0, chosen = NOT_RUNNING;

    for (unsigned int i = 0; i < sim.vcpus; i++) {
        if (i != sim.vcpu && sim.all[i].fiber && !sim.all[i].blocked && sim_random(++count) == 0)
            chosen = i;
    }
    return chosen;
}

static void sim_turn_to(unsigned int vcpu)
{
    struct sim_fiber *from = sim.all[sim.vcpu].fiber;

    sim.vcpu = vcpu;
    fake_percpu = &sim.all[vcpu].percpu;
    sim_fiber_switch(from, sim.all[vcpu].fiber);
}

static void sim_deliver(void)
{
    for (;;) {
        struct sim_vcpu *vcpu = &sim.all[sim.vcpu];
        struct percpu *cpu = &vcpu->percpu;

        if (cpu->vcpu_info.evtchn_upcall_mask || !cpu->vcpu_info.evtchn_upcall_pending)
            return;
        cpu->vcpu_info.evtchn_upcall_mask = 1;
        cpu->vcpu_info.evtchn_upcall_pending = 0;
        cpu->upcall_depth++;
        if (vcpu->timer_due) {
            vcpu->timer_due = false;
            if (vcpu->timer_handler)
                vcpu->timer_handler(0, NULL);
        }
        if (vcpu->kick_due) {
            vcpu->kick_due = false;
            vcpu->kick_handler();
        }
        if (vcpu->device_due) {
            vcpu->device_due = false;
            if (sim.device)
                sim.device(cpu->vcpu);
        }
        cpu->upcall_depth--;
        if (cpu->need_resched && !cpu->preempt_count)
            sched_preempt();
        this_percpu()->vcpu_info.evtchn_upcall_mask = 0; /* perhaps another vCPU by now */
    }
}

static void sim_check(void)
{
    for (unsigned int i = 0; i < sim.vcpus; i++) {
        for (unsigned int j = 0; j < i; j++) {
            if (sim.all[i].percpu.current && sim.all[i].percpu.current == sim.all[j].percpu.current)
                sim_fail("one thread is current on two vCPUs");
        }
    }
}

void sim_point(void)
{
    unsigned int other;

    if (sim.on_point)
        sim.on_point();
    if (!sim.active)
        return;
    if (++sim.points > sim.points_max)
        sim_fail("this does not end");
    sim.now_ns += sim_random(2 * sim.step_ns);
    if (sim.device && sim_random(sim.device_rate) == 0) {
        struct sim_vcpu *vcpu = &sim.all[sim_random(sim.vcpus)];

        vcpu->device_due = true;
        sim_upcall_raise(vcpu);
    }
    sim_timers_check();
    sim_check();
    if (sim_random(sim.turn) == 0 && (other = sim_choose()) != NOT_RUNNING)
        sim_turn_to(other);
    sim_deliver();
}

void sim_let_others(void)
{
    unsigned int other = sim.active ? sim_choose() : NOT_RUNNING;

    sim_point();
    if (other != NOT_RUNNING)
        sim_turn_to(other);
}

/* Until this vCPU has an event. */
static void sim_block(void)
{
    struct sim_vcpu *vcpu = &sim.all[sim.vcpu];

    sim.blocks++;
    vcpu->percpu.vcpu_info.evtchn_upcall_mask = 0;
    vcpu->blocked = !vcpu->percpu.vcpu_info.evtchn_upcall_pending;
    while (vcpu->blocked) {
        unsigned int other = sim_choose();
        uint64_t next_ns = TIME_NEVER;

        if (++sim.points > sim.points_max)
            sim_fail("this does not end");
        if (other != NOT_RUNNING) {
            sim_turn_to(other);
            continue;
        }
        for (unsigned int i = 0; i < sim.vcpus; i++)
            next_ns = MIN(next_ns, sim.all[i].timer_ns);
        if (next_ns != TIME_NEVER)
            sim.now_ns = MAX(sim.now_ns, next_ns);
        else if (sim.device)
            sim_point();
        else
            sim_fail("every vCPU waits: a wake-up was lost");
        sim_timers_check();
    }
    sim_deliver();
}

long sim_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
    (void)a2;
    (void)a3;
    if (nr == __HYPERVISOR_sched_op && a1 == SCHEDOP_block)
        sim_block();
    else
        sim_let_others();
    return 0;
}

void sim_upcalls_disable(void)
{
    sim_point(); /* the last chance, also to move to another vCPU */
    this_percpu()->vcpu_info.evtchn_upcall_mask = 1;
}

void sim_upcalls_enable(void)
{
    this_percpu()->vcpu_info.evtchn_upcall_mask = 0;
    sim_point();
}

bool sim_upcalls_enabled(void)
{
    return !this_percpu()->vcpu_info.evtchn_upcall_mask;
}

uint64_t sim_clock_ns(void)
{
    sim_point();
    return sim.now_ns + (sim.all ? sim.all[sim.vcpu].skew_ns : 0);
}

uint64_t sim_stolen_ns(const struct percpu *cpu)
{
    return sim.all[cpu->vcpu].stolen_ns;
}

void sim_timer_set(uint64_t deadline_ns)
{
    sim.timer_sets++;
    if (sim.all)
        sim.all[sim.vcpu].timer_ns = deadline_ns;
}

int sim_timer_start(event_handler *handler)
{
    sim.all[sim.vcpu].timer_handler = handler;
    return 0;
}

int sim_ipi_bind(unsigned int vcpu, enum ipi ipi, void (*handler)(void))
{
    kassert(ipi == IPI_KICK);
    sim.all[vcpu].kick_handler = handler;
    return 0;
}

int sim_ipi_send(unsigned int vcpu, enum ipi ipi)
{
    sim_point();
    kassert(vcpu < sim.vcpus && ipi == IPI_KICK && sim.all[vcpu].kick_handler);
    sim.notifies++;
    sim.all[vcpu].kick_due = true;
    sim_upcall_raise(&sim.all[vcpu]);
    return 0;
}

/* --- contexts ------------------------------------------------------------------------------------
 */

static struct sim_fiber *sim_fiber_of(const struct context *context)
{
    return (struct sim_fiber *)context->sp;
}

size_t context_tls_size(void)
{
    return 64;
}

void context_tls_init(struct context *context, void *area, void *stack_bottom)
{
    (void)stack_bottom;
    memset(area, 0, 64);
    context->tls = (unsigned long)area;
}

static void sim_thread_entry(void)
{
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
    sched_thread_entry();
}

void context_init(struct context *context, void *stack_top)
{
    struct thread *thread = container_of(context, struct thread, context);
    char *bottom = (char *)thread->stack_bottom;

    context->sp =
        (unsigned long)sim_fiber_new(bottom, (char *)stack_top - bottom, sim_thread_entry);
}

void context_adopt(const struct context *context)
{
    ((struct context *)context)->sp = (unsigned long)sim.all[sim.vcpu].fiber;
}

void context_switch(struct context *from, const struct context *to)
{
    struct sim_vcpu *vcpu = &sim.all[sim.vcpu];
    struct sim_fiber *old = sim_fiber_of(from), *new = sim_fiber_of(to);

    if (sim_upcalls_enabled())
        sim_fail("a switch with upcalls open");
    sim_point(); /* registers are being saved */
    if (old != vcpu->fiber || old->vcpu != sim.vcpu)
        sim_fail("a switch away from a thread that isn't here");
    if (new->vcpu != NOT_RUNNING)
        sim_fail("a switch to a thread whose registers aren't saved: two stacks");
    old->vcpu = NOT_RUNNING;
    new->vcpu = sim.vcpu;
    vcpu->fiber = new;
    sim_fiber_switch(old, new);
}

const unsigned long *context_frame(const struct context *context)
{
    return (const unsigned long *)context->sp;
}

/* --- a run ---------------------------------------------------------------------------------------
 */

static void sim_main(void *arg)
{
    (void)arg;
    sim.body();
    sim_leave();
}

static void sim_secondary(void)
{
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
    time_init(NULL);
    sched_idle();
}

/* What kernel/smp.c does with a vCPU that all have left. */
static void sim_park(void)
{
    struct sim_vcpu *vcpu = &sim.all[sim.vcpu];

    if (sim_upcalls_enabled())
        sim_fail("a vCPU parks with upcalls open");
    vcpu->timer_ns = TIME_NEVER; /* Xen forgets it */
    vcpu->timer_due = false;
    vcpu->parked = true;
    while (!vcpu->wanted)
        sim_let_others();
    vcpu->parked = vcpu->wanted = false;
    sched_cpu_rejoin();
}

/* Until all vCPUs take threads. */
static __attribute__((unused)) void sim_await_vcpus(void)
{
    while (vcpu_set_count(&sched_vcpus) < sim.vcpus)
        thread_sleep_until(time_after_ns(20 * NS_PER_US));
}

/* Take vCPU `i` down, and wait until it is. */
static __attribute__((unused)) void sim_vcpu_down(unsigned int i)
{
    sched_cpu_leave(&sim.all[i].percpu);
    while (!sim.all[i].parked)
        thread_sleep_until(time_after_ns(20 * NS_PER_US));
}

/* Until it takes threads again, as kernel/smp.c waits: before that it must not be told to leave. */
static __attribute__((unused)) void sim_vcpu_up(unsigned int i)
{
    sim.all[i].wanted = true;
    while (!vcpu_set_has(&sched_vcpus, i))
        thread_sleep_until(time_after_ns(20 * NS_PER_US));
}

static void sim_start_secondary(unsigned int i)
{
    struct percpu *cpu = &sim.all[i].percpu;
    unsigned long bottom, top;

    if (sched_cpu_init(cpu))
        sim_fail("no memory for another vCPU");
    thread_stack_bounds(cpu->current, &bottom, &top);
    sim.all[i].fiber =
        sim_fiber_new((void *)bottom, top - bottom - context_tls_size(), sim_secondary);
    sim.all[i].fiber->vcpu = i;
    cpu->current->context.sp = (unsigned long)sim.all[i].fiber;
}

static void sim_boot(void)
{
    struct sim_fiber *fiber = sim.all[0].fiber;
    struct thread *thread;

    __sanitizer_finish_switch_fiber(NULL, &sim.base.bottom, &sim.base.size);
    sched_set_park(sim_park);
    if (sched_init((void *)fiber->bottom, (char *)fiber->bottom + fiber->size) || time_init(NULL))
        sim_fail("no memory to boot");
    for (unsigned int i = 1; i < sim.vcpus; i++)
        sim_start_secondary(i);
    sim_upcalls_enable();
    if (sim.at_boot)
        sim.at_boot();
    if (thread_create(&thread, "main", THREAD_STACK_ORDER, PRIORITY_NORMAL, sim_main, NULL))
        sim_fail("no memory for main");
    sched_idle();
}

static void sim_free_thread(struct thread *thread)
{
    void *stack = (void *)(thread->stack_bottom - PAGE_SIZE);

    if (thread == &boot_thread) {
        kmem_free((void *)thread->context.tls);
        return;
    }
    page_set_guard(stack, false);
    pages_free(stack, thread->stack_order);
    kmem_free(thread);
}

/* Forget the kernel, so that the next run boots a new one. */
static void sim_clean_up(char *boot_stack)
{
    struct thread *thread, *next;

    for (thread = threads.first; threads.count > 0; thread = next, threads.count--) {
        next = thread->next;
        sim_free_thread(thread);
    }
    for (thread = threads.cached; thread; thread = next) {
        next = thread->next;
        sim_free_thread(thread);
    }
    for (unsigned int i = 0; i < sim.vcpus; i++) {
        kmem_free(sim.all[i].percpu.runq);
        kmem_free(sim.all[i].percpu.timers);
        percpus[i] = NULL;
    }
    memset(&threads, 0, sizeof(threads));
    spin_lock_init(&threads.lock, LOCK_THREADS);
    memset(&boot_thread, 0, sizeof(boot_thread));
    memset(&idle_vcpus, 0, sizeof(idle_vcpus));
    memset(&sched_vcpus, 0, sizeof(sched_vcpus));
    sched_several_vcpus = sched_accounting = false;
    latest_ns = 0;
    while (sim.fibers) {
        struct sim_fiber *fiber = sim.fibers;

        sim.fibers = fiber->next;
        free(fiber);
    }
    free(boot_stack);
    free(sim.all);
    sim.all = NULL;
    fake_percpu = NULL;
}

static __attribute__((unused)) struct thread *sim_start(enum thread_priority priority,
                                                        void (*fn)(void *), void *arg)
{
    struct thread *thread;

    if (thread_create(&thread, "worker", THREAD_STACK_ORDER, priority, fn, arg))
        sim_fail("no memory for a thread");
    return thread;
}

static __attribute__((unused)) void sim_join(struct thread *thread)
{
    if (thread_join(thread, TIME_NEVER))
        sim_fail("a join without a deadline timed out");
}

/* No device upcalls any more, and those under way are over. */
static __attribute__((unused)) void sim_device_stop(void)
{
    sim.device = NULL;
    thread_sleep_until(time_after_ns(2000 * sim.step_ns));
}

/* Keep the vCPU busy. */
static __attribute__((unused)) void sim_work(unsigned int points)
{
    while (points-- > 0)
        sim_point();
}

/* Boot a kernel on `vcpus` vCPUs, run body() as a thread of it, end it; each choice follows from
 * `seed`. With SIM_FIRST=n in the environment a test tries other seeds than its own. False: the
 * run failed, and so has the test. */
static bool sim_run(uint64_t seed, unsigned int vcpus, void (*body)(void))
{
    char *boot_stack = malloc(SIM_STACK_SIZE);
    unsigned long live = fake_alloc_live();

    sim.all = aligned_alloc(128, vcpus * sizeof(*sim.all));
    memset(sim.all, 0, vcpus * sizeof(*sim.all));
    sim.seed = seed + (getenv("SIM_FIRST") ? strtoull(getenv("SIM_FIRST"), NULL, 10) : 0);
    sim.random = (sim.seed + 1) * 0x9e3779b97f4a7c15;
    sim.vcpus = vcpus;
    sim.vcpu = 0;
    sim.body = body;
    sim.turn = 1 + sim_random(sim_random(2) ? 4 : 40);
    sim.points = 0;
    sim.points_max = 20000000;
    sim.timer_sets = sim.blocks = sim.notifies = 0;
    for (unsigned int i = 0; i < vcpus; i++) {
        struct sim_vcpu *vcpu = &sim.all[i];

        vcpu->percpu.self = &vcpu->percpu;
        vcpu->percpu.vcpu = i;
        vcpu->percpu.vcpu_info.evtchn_upcall_mask = 1;
        vcpu->timer_ns = TIME_NEVER;
        vcpu->skew_ns = (int)sim_random(400) - 200;
        percpus[i] = &vcpu->percpu;
    }
    fake_percpu = &sim.all[0].percpu;
    sim.all[0].fiber = sim_fiber_new(boot_stack, SIM_STACK_SIZE, sim_boot);
    sim.all[0].fiber->vcpu = 0;
    sim.active = true;
    sim_fiber_switch(&sim.base, sim.all[0].fiber);
    sim.device = NULL;
    sim.at_boot = NULL;
    if (sim.failed)
        return false;
    sim_clean_up(boot_stack);
    CHECK_EQ(fake_alloc_live(), live);
    return fake_alloc_live() == live;
}
