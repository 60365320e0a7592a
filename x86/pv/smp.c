/* SPDX-License-Identifier: MIT
 *
 * A secondary vCPU of a PV domain: VCPUOP_initialise gives it all of its registers, page tables,
 * exception table and callbacks at once; VCPUOP_up lets it run.  Follows Xen
 * public/arch-x86/xen.h (struct vcpu_guest_context), public/vcpu.h and arch/x86/domain.c
 * (arch_set_info_guest).
 */
#include "arch/smp.h"
#include "arch/page.h"
#include <string.h>
#include "hypercall/vcpu.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "mm/kmem.h"
#include "x86/pv/pv.h"

#define FLAT_RING3_CS64_SEL 0xe033
#define FLAT_RING3_SS64_SEL 0xe02b
#define EFLAGS_IF           (1 << 9)
/* What the debug registers hold after a reset; Xen refuses other values. */
#define DR6_RESET 0xffff0ff0
#define DR7_RESET 0x400

static void fill(struct vcpu_guest_context *vcpu, const struct percpu *cpu,
                 const struct context *context, void (*entry)(void))
{
    unsigned long *no_return_address = (unsigned long *)context->sp - 1; /* ends a backtrace */

    *no_return_address = 0;
    vcpu->flags = VGCF_in_kernel;
    vcpu->user_regs.rip = (unsigned long)entry;
    vcpu->user_regs.rsp = (unsigned long)no_return_address;
    vcpu->user_regs.rflags = EFLAGS_IF;
    vcpu->user_regs.cs = FLAT_RING3_CS64_SEL;
    vcpu->user_regs.ss = FLAT_RING3_SS64_SEL;
    vcpu->kernel_ss = FLAT_RING3_SS64_SEL;
    vcpu->kernel_sp = (unsigned long)no_return_address;
    vcpu->fs_base = context->tls;
    vcpu->gs_base_kernel = (unsigned long)cpu;
    vcpu->ctrlreg[3] = pv_mmu_root() << PAGE_SHIFT;
    vcpu->debugreg[6] = DR6_RESET;
    vcpu->debugreg[7] = DR7_RESET;
    pv_traps_describe(vcpu);
}

int pv_cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void))
{
    struct vcpu_guest_context *vcpu = kmem_alloc(sizeof(*vcpu)); /* 5 KiB: not on a stack */
    int rc;

    if (!vcpu)
        return -XEN_ENOMEM;
    fill(vcpu, cpu, context, entry);
    rc = hypercall_vcpu_initialise(cpu->vcpu, vcpu);
    kmem_free(vcpu);
    return rc ? rc : hypercall_vcpu_up(cpu->vcpu);
}
