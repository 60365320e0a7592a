/* SPDX-License-Identifier: MIT
 *
 * What a vCPU with hardware assistance has of its own: segments, the table of exceptions, the stack
 * for double faults, the entry of SYSCALL.  Follows AMD's and Intel's manuals.
 */
#include "x86/cpuid.h"
#include "x86/guest.h"
#include "x86/hvm/hvm.h"
#include "x86/hvm/internal.h"
#include "x86/hvm/regs.h"
#include "x86/segment.h"
#include "x86/trap.h"

#define SELECTOR_CODE 8
#define SELECTOR_DATA 16
#define SELECTOR_TSS  24
#define GATE          0x8e00 /* present, interrupts off */
#define DOUBLE_FAULT  8

struct gate {
    uint16_t offset_low, selector, type, offset_middle;
    uint32_t offset_high, reserved;
};

struct tss {
    uint32_t reserved;
    uint64_t rsp[3], reserved2, ist[7], reserved3;
    uint16_t reserved4, io_map;
} __attribute__((packed));

struct cpu_page {
    uint64_t gdt[5]; /* of the TSS: two entries */
    struct tss tss;
    /* The stack grows down from the end. */
};

struct descriptor {
    uint16_t limit;
    const void *base;
} __attribute__((packed));

static struct gate idt[HVM_VECTORS];

void hvm_event_callback(void);
extern const char hvm_event_callback_end[];
void hvm_vmcall(void);
void hvm_vmmcall(void);

void hvm_set_fs(unsigned long base)
{
    wrmsr(MSR_FS_BASE, base);
}

void hvm_set_gs(unsigned long base)
{
    wrmsr(MSR_GS_BASE, base);
}

static void cpu_start_self(void)
{
    /* All is done in hvm_cpu_init(). */
}

static uint64_t fault_address(void)
{
    return READ_CR(2);
}

void hvm_set_gate(unsigned int vector, unsigned long entry, unsigned int ist)
{
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)entry,
        .selector = SELECTOR_CODE,
        .type = GATE | ist,
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

static void describe_gates(void)
{
    for (unsigned int vector = 0; vector < TRAP_VECTORS; vector++)
        hvm_set_gate(vector, (unsigned long)trap_stubs + vector * TRAP_STUB_SIZE + TRAP_STUB_POPS,
                     vector == DOUBLE_FAULT);
    hvm_set_gate(HVM_CALLBACK_VECTOR, (unsigned long)hvm_event_callback, 0);
}

static void load_segments(struct cpu_page *page)
{
    struct descriptor gdtr = { sizeof(page->gdt) - 1, page->gdt };
    struct descriptor idtr = { sizeof(idt) - 1, idt };
    unsigned long tss = (unsigned long)&page->tss;

    page->gdt[0] = 0;
    page->gdt[1] = 0x00af9b000000ffff;
    page->gdt[2] = 0x00cf93000000ffff;
    page->gdt[3] = 0x0000890000000000 | (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 |
                   (tss >> 24 & 0xff) << 56;
    page->gdt[4] = tss >> 32;
    page->tss = (struct tss){
        .ist = { (unsigned long)page + (PAGE_SIZE << HVM_CPU_ORDER) },
        .io_map = sizeof(struct tss), /* behind its end: no ports for anybody, who would ask */
    };
    asm volatile("lgdt %0\n\t"
                 "lidt %1\n\t"
                 "push %2\n\t"
                 "lea 1f(%%rip), %%rax\n\t"
                 "push %%rax\n\t"
                 "lretq\n"
                 "1:\tmov %3, %%ss\n\t"
                 "mov %3, %%ds\n\t"
                 "mov %3, %%es\n\t"
                 "ltr %w4"
                 :
                 : "m"(gdtr), "m"(idtr), "i"(SELECTOR_CODE), "r"(SELECTOR_DATA), "r"(SELECTOR_TSS)
                 : "rax", "memory");
}

/* Intel's instruction, or AMD's: the other one is invalid. */
static bool has_vmcall(void)
{
    uint32_t vendor = cpuid(0, 0).ebx;

    return vendor == 0x756e6547 /* Genu */ || vendor == 0x746e6543 /* Cent */ ||
           vendor == 0x68532020 /* "  Sh" */;
}

void hvm_cpu_init(void *page)
{
    struct cpuid features = cpuid(7, 0);
    unsigned long cr4 = READ_CR(4);

    if (idt[0].type == 0)
        describe_gates();
    load_segments(page);
    wrmsr(MSR_STAR, (uint64_t)SELECTOR_CODE << 32);
    wrmsr(MSR_LSTAR, has_vmcall() ? (unsigned long)hvm_vmcall : (unsigned long)hvm_vmmcall);
    wrmsr(MSR_SFMASK, 0);
    segment_have_wrfsbase = features.ebx & 1;
    cr4 |= segment_have_wrfsbase ? CR4_FSGSBASE : 0;
    cr4 |= features.ebx & 1 << 7 ? CR4_SMEP : 0;
    cr4 |= features.ebx & 1 << 20 ? CR4_SMAP : 0;
    cr4 |= features.ecx & 1 << 2 ? CR4_UMIP : 0;
    WRITE_CR(4, cr4);
}

const struct guest_ops hvm_guest = {
    .map_direct = hvm_mmu_map_direct,
    .map = hvm_mmu_map,
    .unmap = hvm_mmu_unmap,
    .guard = hvm_mmu_guard,
    .grant_map_frame = hvm_grant_map_frame,
    .grant_prepare = hvm_grant_prepare,
    .grant_host_addr = hvm_grant_host_addr,
    .grant_release = hvm_grant_release,
    .cpu_start = hvm_cpu_start,
    .cpu_start_self = cpu_start_self,
    .set_fs = hvm_set_fs,
    .fault_address = fault_address,
    .upcall = (const char *)hvm_event_callback,
    .upcall_end = hvm_event_callback_end,
};
