/* SPDX-License-Identifier: MIT
 *
 * With hardware assistance: does every vCPU use what its CPUID offers to protect the kernel, and
 * is memory mapped by large pages?  Says what it found, and exit(1) if not.  The page tables are
 * read as the CPU would, from CR3 on.
 */
#include <stdio.h>
#include "kernel/smp.h"
#include "lib/log.h"
#include "mm/address_space.h"
#include "mm/page.h"
#include "x86/cpuid.h"
#include "x86/hvm/regs.h"

#define VCPUS    64
#define CR0_WP   (1UL << 16)
#define EFER_NXE (1UL << 11)

#define PTE_PRESENT (1UL << 0)
#define PTE_WRITE   (1UL << 1)
#define PTE_LARGE   (1UL << 7)
#define PTE_NX      (1UL << 63)
#define PTE_FRAME   0x000ffffffffff000UL

static struct look {
    struct cpuid features, extended;
    uint64_t cr0, cr4, efer;
    bool taken;
} looks[VCPUS];

static void look(void *unused)
{
    struct look *look = &looks[this_percpu()->vcpu];

    (void)unused;
    *look = (struct look){ .features = cpuid(7, 0),
                           .extended = cpuid(0x80000001, 0),
                           .cr0 = READ_CR(0),
                           .cr4 = READ_CR(4),
                           .efer = rdmsr(MSR_EFER),
                           .taken = true };
}

/* How many are off. */
static unsigned int judge(unsigned int vcpu, const struct look *look)
{
    const struct {
        const char *name;
        bool offered, on;
    } features[] = {
        { "WP", true, look->cr0 & CR0_WP },
        { "NXE", look->extended.edx & 1 << 20, look->efer & EFER_NXE },
        { "SMEP", look->features.ebx & 1 << 7, look->cr4 & CR4_SMEP },
        { "SMAP", look->features.ebx & 1 << 20, look->cr4 & CR4_SMAP },
        { "UMIP", look->features.ecx & 1 << 2, look->cr4 & CR4_UMIP },
    };
    unsigned int off = 0;

    printf("vCPU %u:", vcpu);
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        bool missing = features[i].offered && !features[i].on;

        off += missing;
        if (features[i].offered)
            printf(" %s%s", features[i].name, missing ? "(off)" : "");
    }
    printf("\n");
    return off;
}

static unsigned int judge_vcpus(void)
{
    unsigned int off = 0;

    smp_call_all(look, NULL, true);
    for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++)
        if (looks[vcpu].taken)
            off += judge(vcpu, &looks[vcpu]);
    return off;
}

/* The entry that maps `virt`, and its level; 0 when a table cannot be looked at. Each table is
 * mapped at `window` for that. */
static uint64_t entry_of(const void *virt, uint64_t *window, unsigned int *level)
{
    uint64_t entry = READ_CR(3);

    for (*level = 4;; --*level) {
        mfn_t frame = { (entry & PTE_FRAME) >> PAGE_SHIFT };

        if (map_frames(window, &frame, 1, MAP_READ))
            return 0;
        entry = window[(unsigned long)virt >> (PAGE_SHIFT + 9 * (*level - 1)) & 511];
        unmap_frames(window, 1);
        if (*level == 1 || !(entry & PTE_PRESENT) || entry & PTE_LARGE)
            return entry;
    }
}

/* All memory that can be had by 2 MiB. How many of these are not mapped as they should be. */
static unsigned int judge_memory(void)
{
    uint64_t *window = vspace_alloc(1);
    unsigned int blocks = 0, wrong = 0;
    char *block;

    while (window && (block = pages_alloc(PAGE_MAX_ORDER)) != NULL) {
        unsigned int level;
        uint64_t entry = entry_of(block, window, &level);

        blocks++;
        wrong += level < 2 || !(entry & PTE_LARGE) || !(entry & PTE_WRITE) || !(entry & PTE_NX);
    }
    printf("memory: %u of %u blocks of 2 MiB are mapped by one entry\n", blocks - wrong, blocks);
    return blocks ? wrong : 1;
}

int main(void)
{
    unsigned int off = judge_vcpus();

    return judge_memory() || off;
}
