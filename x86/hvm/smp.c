/* SPDX-License-Identifier: MIT
 *
 * A further vCPU with hardware assistance: VCPUOP_initialise puts it into 64-bit mode, on our page
 * tables, at once; VCPUOP_up lets it run.  Follows Xen public/hvm/hvm_vcpu.h and
 * arch/x86/hvm/domain.c.
 */
#include "hypercall/vcpu.h"
#include "lib/percpu.h"
#include "mm/page.h"
#include "x86/hvm/hvm.h"
#include "x86/hvm/internal.h"
#include "x86/hvm/regs.h"
#include <xen/hvm/hvm_vcpu.h>

#define RFLAGS_NONE 2 /* its one bit that is always set */

void hvm_cpu_entry(void);

int hvm_cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void))
{
    unsigned long *no_return_address = (unsigned long *)context->sp - 1; /* ends a backtrace */
    void *page = page_alloc_zeroed();
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
    rc = hypercall_vcpu_initialise(cpu->vcpu, &vcpu);
    if (rc == 0)
        return hypercall_vcpu_up(cpu->vcpu);
    pages_free(page, 0);
    return rc;
}
