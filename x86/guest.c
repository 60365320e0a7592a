/* SPDX-License-Identifier: MIT
 *
 * From the arch/ headers to what this guest type does.
 */
#include "x86/guest.h"
#include "arch/cpu.h"
#include "arch/grant.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "hypercall/vcpu.h"
#include "lib/percpu.h"

const struct guest_ops *guest = &pv_guest;
const char *arch_guest_type = "pv";
uint64_t arch_start_ticks;

unsigned long direct_map_offset;

int mmu_map_direct(void *start, void *end, void *(*more)(void))
{
    return guest->map_direct(start, end, more);
}

int mmu_map(void *start, const mfn_t *frames, size_t count, bool writable)
{
    return guest->map(start, frames, count, writable);
}

int mmu_unmap(void *start, size_t count)
{
    return guest->unmap(start, count);
}

int mmu_guard(void *page, bool on)
{
    return guest->guard(page, on);
}

int arch_grant_map_frame(void *virt, unsigned int index)
{
    return guest->grant_map_frame(virt, index);
}

int arch_grant_prepare(void *virt, domid_t domid)
{
    return guest->grant_prepare(virt, domid);
}

uint64_t arch_grant_host_addr(const void *virt)
{
    return guest->grant_host_addr(virt);
}

void arch_grant_release(void *virt)
{
    guest->grant_release(virt);
}

int cpu_start(struct percpu *cpu, const struct context *context, void (*entry)(void))
{
    return guest->cpu_start(cpu, context, entry);
}

void cpu_start_self(void)
{
    guest->cpu_start_self();
}

void cpu_stop(void)
{
    hypercall_vcpu_down(this_percpu()->vcpu);
}

void cpu_stop_other(unsigned int vcpu)
{
    hypercall_vcpu_down(vcpu);
}

int cpu_restart(unsigned int vcpu)
{
    return hypercall_vcpu_up(vcpu);
}
