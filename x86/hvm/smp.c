/* SPDX-License-Identifier: MIT
 *
 * A further vCPU with hardware assistance: VCPUOP_initialise puts it into 64-bit mode, on our page
 * tables, at once; VCPUOP_up lets it run.  Follows Xen public/hvm/hvm_vcpu.h and
 * arch/x86/hvm/domain.c.
 */
#include "hypercall/vcpu.h"
#include "lib/percpu.h"
#include "mm/address_space.h"
#include "mm/page.h"
#include "x86/hvm/hvm.h"
#include "x86/hvm/internal.h"
#include "x86/hvm/regs.h"
#include <xen/hvm/hvm_vcpu.h>

#define RFLAGS_NONE    2 /* its one bit that is always set */
#define LAPIC_PADDR    0xfee00000UL
#define LAPIC_ICR_LOW  (0x300 / 4)
#define LAPIC_ICR_HIGH (0x310 / 4)
#define ICR_INIT       0x4500

void hvm_cpu_entry(void);

/* The local APIC of a vCPU is called by twice the vCPU's number. What is sent has arrived when the
 * store is done. */
static int send_init(unsigned int vcpu)
{
    volatile uint32_t *lapic;
    mfn_t frame = { LAPIC_PADDR >> PAGE_SHIFT };
    int rc;

    if (rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC) {
        wrmsr(MSR_X2APIC_ICR, (uint64_t)(2 * vcpu) << 32 | ICR_INIT);
        return 0;
    }
    lapic = vspace_alloc(1);
    rc = lapic ? map_frames((void *)lapic, &frame, 1, MAP_WRITE) : -XEN_ENOMEM;
    if (rc == 0) {
        lapic[LAPIC_ICR_HIGH] = 2 * vcpu << 24;
        lapic[LAPIC_ICR_LOW] = ICR_INIT;
        unmap_frames((void *)lapic, 1);
    }
    if (lapic)
        vspace_free((void *)lapic, 1);
    return rc;
}

/* hvmloader leaves the other vCPUs initialised, from Xen 4.19 on: an INIT ends that. */
static int initialise(unsigned int vcpu, const struct vcpu_hvm_context *context)
{
    int rc = hypercall_vcpu_initialise(vcpu, context);

    if (rc == -XEN_EEXIST) {
        rc = send_init(vcpu);
        if (rc == 0)
            rc = hypercall_vcpu_initialise(vcpu, context);
    }
    return rc;
}

int hvm_cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void))
{
    unsigned long *no_return_address = (unsigned long *)context->sp - 1; /* ends a backtrace */
    void *page = pages_alloc(HVM_CPU_ORDER);
    struct vcpu_hvm_context vcpu = { .mode = VCPU_HVM_MODE_64B };
    int rc;

    if (!page)
        return -XEN_ENOMEM;
    *no_return_address = 0;
    vcpu.cpu_regs.x86_64 = (struct vcpu_hvm_x86_64){
        .rip = (unsigned long)hvm_cpu_entry,
        .rsp = (unsigned long)no_return_address,
        .rflags = RFLAGS_NONE,
        .rdi = (unsigned long)cpu,
        .rsi = context->tls,
        .rdx = (unsigned long)entry,
        .rcx = (unsigned long)page,
        .cr0 = READ_CR(0),
        .cr3 = READ_CR(3),
        .cr4 = READ_CR(4),
        .efer = rdmsr(MSR_EFER),
    };
    hvm_mmu_several_vcpus();
    rc = initialise(cpu->vcpu, &vcpu);
    if (rc == 0)
        return hypercall_vcpu_up(cpu->vcpu);
    pages_free(page, HVM_CPU_ORDER);
    return rc;
}
