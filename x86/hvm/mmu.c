/* SPDX-License-Identifier: MIT
 *
 * Page tables with hardware assistance: ours alone, so each change is a store.  The image's pages
 * have an entry each, with the rights of their part; memory is mapped 2 MiB by one entry, which
 * becomes a table when one of its pages is to be a guard.  Nothing is mapped twice, except what the
 * kernel maps into malloc's region.  Other vCPUs' TLBs are Xen's to flush.  Follows AMD's manual,
 * volume 2.
 */
#include <string.h>
#include "hypercall/hvm.h"
#include "lib/atomic.h"
#include "lib/spinlock.h"
#include "mm/page.h"
#include "x86/hvm/hvm.h"
#include "x86/hvm/internal.h"
#include "x86/hvm/regs.h"

#define PTE_PRESENT  (1UL << 0)
#define PTE_WRITE    (1UL << 1)
#define PTE_ACCESSED (1UL << 5)
#define PTE_DIRTY    (1UL << 6)
#define PTE_LARGE    (1UL << 7)
#define PTE_NX       (1UL << 63)
#define PTE_PADDR    0x000ffffffffff000UL

#define PTE_RO    (PTE_PRESENT | PTE_ACCESSED)
#define PTE_RW    (PTE_RO | PTE_WRITE | PTE_DIRTY)
#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

#define ENTRIES    512
#define LARGE_PAGE (PAGE_SIZE * ENTRIES)
/* The last 4 MiB of the image's gigabyte: boot/image.lds keeps them free. */
#define WINDOW ((char *)0x3fc00000)

extern char IMAGE_PADDR[], __image_start[], __image_end[], __rodata_start[], __rodata_end[];
extern uint64_t hvm_tables[], hvm_pages_end[];

unsigned long hvm_frames_of_others;

static spinlock_t split_lock = SPINLOCK_INIT; /* a large page becomes a table */
static uint64_t no_execute;                   /* PTE_NX if the CPU has it */
static bool several_vcpus;

void hvm_mmu_several_vcpus(void)
{
    several_vcpus = true;
}

static void flush(void)
{
    if (several_vcpus)
        hypercall_hvm_flush_tlbs();
    else
        WRITE_CR(3, READ_CR(3));
}

/* The first tables lie in the image, which is not in the direct map. */
static uint64_t *entry_table(uint64_t entry)
{
    unsigned long paddr = entry & PTE_PADDR;
    unsigned long virt = paddr + (unsigned long)__image_offset;

    if (virt >= (unsigned long)__image_start && virt < (unsigned long)__image_end)
        return (uint64_t *)virt;
    return (uint64_t *)(paddr + HVM_DIRECT_MAP);
}

/* The entry of `virt` at `level` (1: the last), or above it one that maps a large page or nothing;
 * *at: its level. */
static uint64_t *walk(const void *virt, unsigned int level, unsigned int *at)
{
    uint64_t *table = hvm_tables;

    for (*at = 4;; --*at) {
        uint64_t *entry =
            &table[(unsigned long)virt >> (PAGE_SHIFT + 9 * (*at - 1)) & (ENTRIES - 1)];

        if (*at == level || !(*entry & PTE_PRESENT) || *entry & PTE_LARGE)
            return entry;
        table = entry_table(*entry);
    }
}

static uint64_t paddr_of(const void *ptr)
{
    return virt_to_pfn(ptr).n << PAGE_SHIFT;
}

/* The entry of `virt` at `level`, with tables above it; NULL: no memory for these. */
static uint64_t *provide(const void *virt, unsigned int level, void *(*more)(void))
{
    unsigned int at;
    uint64_t *entry;

    while (entry = walk(virt, level, &at), at > level) {
        uint64_t *table = more();

        if (!table)
            return NULL;
        memset(table, 0, PAGE_SIZE);
        store_release(entry, paddr_of(table) | PTE_TABLE);
    }
    return entry;
}

int hvm_mmu_map_direct(void *start, void *end, void *(*more)(void))
{
    bool large = (char *)end - (char *)start == LARGE_PAGE;
    uint64_t *entry = provide(start, large ? 2 : 1, more);
    uint64_t value = paddr_of(start) | PTE_RW | no_execute;

    if (!entry)
        return -XEN_ENOMEM;
    if (large) {
        store_once(entry, value | PTE_LARGE);
        return 0;
    }
    for (char *virt = start; virt < (char *)end; virt += PAGE_SIZE, value += PAGE_SIZE)
        store_once(entry++, value);
    return 0;
}

int hvm_mmu_map(void *start, const mfn_t *frames, size_t count, bool writable)
{
    char *virt = start;

    for (size_t i = 0; i < count; i++, virt += PAGE_SIZE) {
        uint64_t *entry = provide(virt, 1, page_alloc_zeroed);

        if (!entry)
            return -XEN_ENOMEM;
        store_once(entry, frames[i].n << PAGE_SHIFT | (writable ? PTE_RW : PTE_RO) | no_execute);
    }
    return 0;
}

int hvm_mmu_unmap(void *start, size_t count)
{
    char *virt = start;

    for (size_t i = 0; i < count; i++, virt += PAGE_SIZE) {
        unsigned int at;
        uint64_t *entry = walk(virt, 1, &at);

        if (at == 1)
            store_once(entry, 0);
    }
    flush();
    return 0;
}

/* Make a table of the large page `entry` maps, with the same rights. */
static int split(uint64_t *entry)
{
    uint64_t *table = pages_alloc(0);
    uint64_t value = load_once(entry);
    bool enabled;

    if (!table)
        return -XEN_ENOMEM;
    for (unsigned int i = 0; i < ENTRIES; i++)
        table[i] = (value & ~PTE_LARGE) + i * PAGE_SIZE;
    enabled = spin_lock_save(&split_lock);
    if (load_once(entry) & PTE_LARGE) { /* else somebody was quicker */
        store_release(entry, paddr_of(table) | PTE_TABLE);
        table = NULL;
    }
    spin_unlock_restore(&split_lock, enabled);
    pages_free(table, 0);
    return 0;
}

int hvm_mmu_guard(void *page, bool guard)
{
    unsigned int at;
    uint64_t *entry = walk(page, 1, &at);

    if (at > 1) {
        int rc = split(entry);

        if (rc)
            return rc;
        entry = walk(page, 1, &at);
    }
    store_once(entry, guard ? 0 : paddr_of(page) | PTE_RW | no_execute);
    if (guard)
        flush();
    return 0;
}

const void *hvm_window(uint64_t paddr, size_t len)
{
    uint64_t start = paddr & ~(LARGE_PAGE - 1);
    unsigned int at;
    uint64_t *entry = walk(WINDOW, 2, &at);

    if (len > LARGE_PAGE || paddr >= 1UL << 32 || paddr + len > 1UL << 32)
        return NULL;
    for (unsigned int i = 0; i < 2; i++)
        entry[i] = (start + i * LARGE_PAGE) | PTE_RO | PTE_LARGE | no_execute;
    flush();
    return WINDOW + (paddr - start);
}

void hvm_mmu_map_window(void *virt, uint64_t pfn)
{
    unsigned int at;

    *walk(virt, 1, &at) = pfn << PAGE_SHIFT | PTE_RW | no_execute;
    asm volatile("invlpg (%0)" ::"r"(virt) : "memory");
}

void *hvm_mmu_boot_table(void)
{
    static unsigned int used;

    return used == 3 ? NULL : hvm_pages_end - ENTRIES * ++used;
}

/* Text can only be read and executed, rodata only be read, all the rest not be executed. The page
 * that the entry ran in is not mapped where it physically is any more. */
void hvm_mmu_init(bool nx)
{
    unsigned int at;

    no_execute = nx ? PTE_NX : 0;
    for (char *virt = __image_start; virt < __image_end; virt += PAGE_SIZE) {
        uint64_t paddr = (unsigned long)virt - (unsigned long)__image_offset;

        *walk(virt, 1, &at) = paddr | (virt < __rodata_end ? PTE_RO : PTE_RW) |
                              (virt < __rodata_start ? 0 : no_execute);
    }
    if (&IMAGE_PADDR[0] < &__image_start[0])
        *walk(IMAGE_PADDR, 1, &at) = 0;
    flush();
}
