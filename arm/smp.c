/* SPDX-License-Identifier: MIT
 *
 * Further vCPUs, by PSCI.  One begins as the first did, MMU and caches off, at a physical address.
 */
#include "arch/smp.h"
#include "arch/mmu.h"
#include "arch/psci.h"
#include "arm/gic.h"
#include "arm/interrupt.h"
#include "arm/mmu.h"
#include "arm/smp.h"
#include "events/events.h"
#include "lib/atomic.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "mm/address_space.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define REDISTRIBUTOR_SIZE    0x20000 /* of each vCPU, in their order: Xen arch/arm/vgic-v3.c */
#define REDISTRIBUTOR_PRIVATE 0x10000
#define EXCEPTION_STACK_ORDER 1

static unsigned int nr_vcpus = 1;
static uint64_t redistributors, redistributors_size;
static struct cpu_start *starts[MAX_VCPUS];

void arm_smp_init(unsigned int vcpus, uint64_t start, uint64_t size)
{
    static struct cpu_start boot; /* vCPU 0 stops only when another one panics */

    starts[0] = &boot;
    nr_vcpus = vcpus;
    redistributors = start;
    redistributors_size = size;
}

/* A vCPU's affinity, by which PSCI and the interrupt controller call it: Xen arch/arm/domain.c. */
static unsigned long affinity_of(unsigned int vcpu)
{
    return (vcpu & 0xf) | (unsigned long)(vcpu >> 4) << 8;
}

int cpu_is_up(unsigned int vcpu)
{
    if (vcpu >= nr_vcpus)
        return -XEN_ENOENT;
    return psci_call(PSCI_AFFINITY_INFO, affinity_of(vcpu), 0, 0) == PSCI_IS_ON;
}

/* 0 or -errno; its pages stay mapped. */
static int map_redistributor(struct cpu_start *start, unsigned int vcpu)
{
    uint64_t paddr = redistributors + (uint64_t)vcpu * REDISTRIBUTOR_SIZE;
    char *pages;
    int rc;

    if (!redistributors)
        return 0;
    if (((uint64_t)vcpu + 1) * REDISTRIBUTOR_SIZE > redistributors_size)
        return -XEN_ENOENT;
    pages = vspace_alloc(2);
    if (!pages)
        return -XEN_ENOMEM;
    rc = arm_mmu_map_page(pages, paddr, true);
    if (rc == 0)
        rc = arm_mmu_map_page(pages + PAGE_SIZE, paddr + REDISTRIBUTOR_PRIVATE, true);
    start->gic_control = pages;
    start->gic_private = pages + PAGE_SIZE;
    return rc;
}

static int prepare(struct percpu *cpu)
{
    struct cpu_start *start = kmem_alloc(sizeof(*start));
    char *stack = pages_alloc(EXCEPTION_STACK_ORDER);
    int rc = start && stack ? 0 : -XEN_ENOMEM;

    if (rc == 0)
        rc = map_redistributor(start, cpu->vcpu);
    if (rc) {
        pages_free(stack, EXCEPTION_STACK_ORDER);
        kmem_free(start);
        return rc;
    }
    start->cpu = cpu;
    start->exception_sp = (unsigned long)stack + (PAGE_SIZE << EXCEPTION_STACK_ORDER);
    starts[cpu->vcpu] = start;
    return 0;
}

static int psci_start(unsigned int vcpu)
{
    unsigned long paddr = (unsigned long)arm_cpu_entry - image_offset;
    long rc = psci_call(PSCI_CPU_ON, affinity_of(vcpu), paddr, (unsigned long)starts[vcpu]);

    if (rc == 0)
        return 0;
    return rc == PSCI_ALREADY_ON ? -XEN_EEXIST : -XEN_EINVAL;
}

int cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void))
{
    int rc = starts[cpu->vcpu] ? 0 : prepare(cpu);

    if (rc)
        return rc;
    starts[cpu->vcpu]->entry = entry;
    starts[cpu->vcpu]->sp = context->sp;
    starts[cpu->vcpu]->tls = context->tls;
    return psci_start(cpu->vcpu);
}

void cpu_start_self(void)
{
    const struct cpu_start *start = starts[this_percpu()->vcpu];

    gic_init_self(start->gic_control, start->gic_private);
    interrupt_enable_self();
    /* Xen interrupts nobody who is down, nor anybody whose evtchn_upcall_pending is set already, as
     * it is since vcpu_info was registered: arch/arm/vgic.c. */
    events_upcall();
}

void cpu_stop(void)
{
    struct cpu_start *start = starts[this_percpu()->vcpu];

    arm_cpu_off(start);
    cpu_start_self();
}

/* PSCI knows only who stops himself: one that has upcalls masked runs on until the panic's report
 * is out and the domain is shut down, which Xen does to all vCPUs. */
void cpu_stop_other(unsigned int vcpu)
{
    (void)vcpu;
}

int cpu_restart(unsigned int vcpu)
{
    return psci_start(vcpu);
}
