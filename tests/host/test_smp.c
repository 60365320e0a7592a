/* SPDX-License-Identifier: MIT
 *
 * Starting and stopping vCPUs when Xen, or a vCPU, does not do as it should.  A vCPU is a pthread
 * here; the scheduler and the events it would have are played below.
 */
#include <pthread.h>
#include "kernel/smp.c"
#include "tests/host/fake_xen.h"
#include "tests/host/test.h"

#define VCPUS 4

static struct {
    bool lost;       /* started, but Xen never runs it */
    bool clings;     /* a thread does not let go of it */
    int refuse;      /* what VCPUOP_initialise says */
    int refuse_info; /* what VCPUOP_register_vcpu_info says */
    bool up, parked; /* held: lock */
    unsigned int starts, restarts, stops, ports_left;
} vcpus[VCPUS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t restarted = PTHREAD_COND_INITIALIZER;
static void (*entry_of_all)(void);
static void (*park_of_all)(void);

/* --- Xen -----------------------------------------------------------------------------------------
 */

static int64_t vcpu_op(unsigned int nr, unsigned long cmd, void *vcpu_number, unsigned long arg)
{
    unsigned long vcpu = (unsigned long)vcpu_number;

    (void)arg;
    if (nr != __HYPERVISOR_vcpu_op)
        return FAKE_GO_ON;
    if (vcpu >= VCPUS)
        return -XEN_ENOENT;
    if (cmd == VCPUOP_is_up)
        return load_acquire(&vcpus[vcpu].up);
    if (cmd == VCPUOP_register_vcpu_info)
        return vcpus[vcpu].refuse_info;
    return cmd == VCPUOP_register_runstate_memory_area ? 0 : FAKE_GO_ON;
}

static void *run(void *cpu)
{
    fake_percpu = cpu;
    entry_of_all();
    return NULL;
}

int cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void))
{
    pthread_t thread;

    (void)context;
    if (vcpus[cpu->vcpu].refuse)
        return vcpus[cpu->vcpu].refuse;
    vcpus[cpu->vcpu].starts++;
    entry_of_all = entry;
    store_release(&vcpus[cpu->vcpu].up, true);
    if (!vcpus[cpu->vcpu].lost) {
        pthread_create(&thread, NULL, run, cpu);
        pthread_detach(thread);
    }
    return 0;
}

void cpu_start_self(void)
{
}

/* Down a little after it said that it would be: who restarts it at once loses it. */
void cpu_stop(void)
{
    unsigned int vcpu = this_percpu()->vcpu;

    fake_pause_ms(3);
    pthread_mutex_lock(&lock);
    vcpus[vcpu].stops++;
    store_release(&vcpus[vcpu].up, false);
    while (!vcpus[vcpu].up)
        pthread_cond_wait(&restarted, &lock);
    pthread_mutex_unlock(&lock);
}

int cpu_restart(unsigned int vcpu)
{
    pthread_mutex_lock(&lock);
    vcpus[vcpu].restarts++;
    store_release(&vcpus[vcpu].up, true);
    pthread_cond_broadcast(&restarted);
    pthread_mutex_unlock(&lock);
    return 0;
}

/* --- the scheduler, events, the rest of the kernel
 * ------------------------------------------------
 */

mfn_t virt_to_mfn(const void *ptr)
{
    return (mfn_t){ (unsigned long)ptr >> PAGE_SHIFT };
}

int sched_cpu_init(struct percpu *cpu)
{
    static struct thread idle[VCPUS];

    cpu->current = &idle[cpu->vcpu];
    return 0;
}

void sched_idle(void)
{
    unsigned int vcpu = this_percpu()->vcpu;

    for (;;) {
        while (!load_acquire(&this_percpu()->leaving) || load_once(&vcpus[vcpu].clings))
            fake_pause_ms(1);
        park_of_all();
    }
}

void sched_cpu_leave(struct percpu *cpu)
{
    store_release(&cpu->leaving, true);
}

void sched_cpu_rejoin(void)
{
    store_release(&this_percpu()->leaving, false);
}

void sched_set_park(void (*park)(void))
{
    park_of_all = park;
}

void smp_calls_open(struct smp_cpu *cpu, bool open)
{
    cpu->takes_calls = open;
}

void smp_calls_run(struct smp_cpu *cpu)
{
    (void)cpu;
}

void smp_stop_check(void)
{
}

void smp_stop_init(void)
{
}

int time_init(struct shared_info *(*shared)(void))
{
    CHECK(shared == NULL);
    return 0;
}

int events_cpu_init(struct percpu *cpu)
{
    cpu->events = (struct events_cpu *)cpu;
    return 0;
}

int ipi_bind(unsigned int vcpu, enum ipi ipi, void (*handler)(void))
{
    CHECK(percpus[vcpu] && ipi == IPI_CALL && handler);
    return 0;
}

void events_leave(unsigned int vcpu)
{
    vcpus[vcpu].ports_left++;
}

/* --- tests ---------------------------------------------------------------------------------------
 */

static void set_up(void)
{
    fake_cpu_init();
    fake_xen.hook = vcpu_op;
    log_level = LOG_WARN;
    vcpus[0].up = true;
    smp_init();
}

static bool all(unsigned int vcpu)
{
    (void)vcpu;
    return true;
}

static bool not_2(unsigned int vcpu)
{
    return vcpu != 2;
}

TEST(all_arrive)
{
    set_up();
    smp_start(all);
    CHECK_EQ(vcpu_set_count(&vcpus_online), VCPUS);
    CHECK_EQ(fake_logged("vCPU"), 0);
    for (unsigned int vcpu = 1; vcpu < VCPUS; vcpu++) {
        CHECK_EQ(vcpus[vcpu].starts, 1);
        CHECK_EQ((unsigned long)percpus[vcpu] % _Alignof(struct percpu), 0);
    }
}

TEST(unwanted_is_not_touched)
{
    set_up();
    smp_start(not_2);
    CHECK_EQ(vcpu_set_count(&vcpus_online), VCPUS - 1);
    CHECK(percpus[2] == NULL);
    CHECK_EQ(smp_vcpu_up(2), 0);
    CHECK(vcpu_set_has(&vcpus_online, 2));
}

TEST(lost_one_is_named_and_welcome_later)
{
    uint64_t start_ns;
    pthread_t late;

    set_up();
    vcpus[2].lost = true;
    start_ns = time_now_ns();
    smp_start(all);
    CHECK_LT(time_now_ns() - start_ns, 2 * NS_PER_S);
    CHECK_EQ(fake_logged("vCPU 2 did not arrive within a second"), 1);
    CHECK_EQ(vcpu_set_count(&vcpus_online), VCPUS - 1);
    CHECK_EQ(smp_vcpu_up(2), -XEN_ETIMEDOUT);
    CHECK_EQ(vcpus[2].starts, 1); /* still expected, not started again */
    CHECK_EQ(smp_vcpu_down(2), 0);
    pthread_create(&late, NULL, run, percpus[2]);
    pthread_detach(late);
    CHECK_SOON(vcpu_set_has(&vcpus_online, 2));
    CHECK_EQ(smp_vcpu_up(2), 0);
}

TEST(refused_one_is_named)
{
    set_up();
    vcpus[1].refuse = -XEN_EEXIST;
    vcpus[3].refuse_info = -XEN_EINVAL;
    smp_start(all);
    CHECK_EQ(fake_logged("vCPU 1 cannot be started: EEXIST"), 1);
    CHECK_EQ(fake_logged("vCPU 3 cannot be started: EINVAL"), 1);
    CHECK(vcpu_set_has(&vcpus_online, 2));
    vcpus[1].refuse = vcpus[3].refuse_info = 0;
    CHECK_EQ(smp_vcpu_up(1), 0);
    CHECK_EQ(smp_vcpu_up(3), 0);
}

TEST(down_and_up_a_hundred_times)
{
    set_up();
    smp_start(all);
    for (unsigned int i = 0; i < 100; i++) {
        unsigned int vcpu = 1 + i % (VCPUS - 1);

        CHECK_EQ(smp_vcpu_down(vcpu), 0);
        CHECK(!vcpu_set_has(&vcpus_online, vcpu) && !load_acquire(&vcpus[vcpu].up));
        CHECK_EQ(smp_vcpu_up(vcpu), 0);
        CHECK(vcpu_set_has(&vcpus_online, vcpu));
    }
    CHECK_EQ(vcpus[1].starts, 1);
    CHECK_EQ(vcpus[1].restarts, 34);
    CHECK(vcpus[1].ports_left >= 34);
}

TEST(clinging_thread_is_a_timeout)
{
    set_up();
    smp_start(all);
    vcpus[1].clings = true;
    CHECK_EQ(smp_vcpu_down(1), -XEN_ETIMEDOUT);
    CHECK_EQ(smp_vcpu_up(1), -XEN_ETIMEDOUT); /* it has not gone yet */
    store_once(&vcpus[1].clings, false);
    CHECK_EQ(smp_vcpu_up(1), 0);
    CHECK_EQ(vcpus[1].stops, 1);
}

TEST(vcpu_0_and_unknown_ones)
{
    set_up();
    smp_start(all);
    CHECK_EQ(smp_vcpu_down(0), -XEN_EINVAL);
    CHECK_EQ(smp_vcpu_down(MAX_VCPUS), -XEN_EINVAL);
    CHECK_EQ(smp_vcpu_up(0), 0);
    CHECK_EQ(smp_vcpu_up(VCPUS), -XEN_ENOENT);
    CHECK_EQ(smp_vcpu_up(MAX_VCPUS), -XEN_ENOENT);
}
