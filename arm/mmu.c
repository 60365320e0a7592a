/* SPDX-License-Identifier: MIT
 *
 * Translation tables: levels of 512 entries, of which the first one has 4 on ARMv7.  The image's
 * pages have the rights of their part, from the entry on (boot/arm*_entry.S).  Memory is mapped
 * page by page, a table for each 2 MiB: a larger entry could not become a table, when one of its
 * pages is to be a guard, without being invalid for a moment, and a vCPU may stand on it.  Nothing
 * is mapped twice, except what the kernel maps into malloc's region.  Follows the Arm Architecture
 * Reference Manuals (DDI 0406, B3.6; DDI 0487, D8).
 */
#include <string.h>
#include "arch/mmu.h"
#include "arch/tlb.h"
#include "arm/descriptor.h"
#include "arm/mmu.h"
#include "lib/atomic.h"
#include "mm/page.h"

#define ENTRIES     512
#define LARGE_PAGE  (PAGE_SIZE * ENTRIES)
#define PADDR_MASK  0x0000fffffffff000ULL
#define PAGE_RW     (DESC_PAGE_RW | DESC_NO_EXECUTE)
#define PAGE_RO     (DESC_PAGE_RW | DESC_READ_ONLY | DESC_NO_EXECUTE)
#define DEVICE_RW   (DESC_DEVICE | DESC_NO_EXECUTE)
#define TABLE       (DESC_VALID | DESC_TABLE)
#define FLUSH_PAGES 64 /* more than these: everything */
#define WINDOW      ((char *)LOOK_WINDOW)

extern char __image_start[], __image_end[];
extern uint64_t arm_tables[], arm_tables_end[];

unsigned long direct_map_offset, image_offset;

static void barrier_after_entries(void)
{
    asm volatile("dsb ishst\n\tisb" ::: "memory");
}

/* On every vCPU. */
static void flush(const char *virt, size_t pages)
{
    asm volatile("dsb ishst" ::: "memory");
    if (pages > FLUSH_PAGES)
        tlb_flush_all();
    for (size_t i = 0; pages <= FLUSH_PAGES && i < pages; i++)
        tlb_flush_page((unsigned long)virt + i * PAGE_SIZE);
    asm volatile("dsb ish\n\tisb" ::: "memory");
}

/* The first tables lie in the image, which is not in the direct map. */
static uint64_t *entry_table(uint64_t entry)
{
    unsigned long paddr = (unsigned long)(entry & PADDR_MASK);
    unsigned long virt = paddr + image_offset;

    if (virt >= (unsigned long)__image_start && virt < (unsigned long)__image_end)
        return (uint64_t *)virt;
    return (uint64_t *)(paddr + direct_map_offset);
}

/* The entry of `virt` at `level` (1: the last), or above it one that maps a large page or nothing;
 * *at: its level. */
static uint64_t *walk(const void *virt, unsigned int level, unsigned int *at)
{
    uint64_t *table = arm_tables;

    for (*at = TABLE_LEVELS;; --*at) {
        uint64_t *entry =
            &table[(unsigned long)virt >> (PAGE_SHIFT + 9 * (*at - 1)) & (ENTRIES - 1)];

        if (*at == level || (*entry & TABLE) != TABLE)
            return entry;
        table = entry_table(*entry);
    }
}

static uint64_t paddr_of(const void *ptr)
{
    return (uint64_t)virt_to_pfn(ptr).n << PAGE_SHIFT;
}

/* The entry of `virt` at the last level, with tables above it; NULL: no memory for these. */
static uint64_t *provide(const void *virt, void *(*more)(void))
{
    unsigned int at;
    uint64_t *entry;

    while (entry = walk(virt, 1, &at), at > 1) {
        uint64_t *table = more();

        if (!table)
            return NULL;
        memset(table, 0, PAGE_SIZE);
        store_release(entry, paddr_of(table) | TABLE); /* its zeroes are seen before it is */
    }
    return entry;
}

int mmu_map_direct(void *start, void *end, void *(*more)(void))
{
    uint64_t *entry = provide(start, more);
    uint64_t value = paddr_of(start) | PAGE_RW;

    if (!entry)
        return -XEN_ENOMEM;
    for (char *virt = start; virt < (char *)end; virt += PAGE_SIZE, value += PAGE_SIZE)
        store_once(entry++, value);
    barrier_after_entries();
    return 0;
}

int mmu_map(void *start, const mfn_t *frames, size_t count, bool writable)
{
    char *virt = start;

    for (size_t i = 0; i < count; i++, virt += PAGE_SIZE) {
        uint64_t *entry = provide(virt, page_alloc_zeroed);

        if (!entry)
            return -XEN_ENOMEM;
        store_once(entry, (uint64_t)frames[i].n << PAGE_SHIFT | (writable ? PAGE_RW : PAGE_RO));
    }
    barrier_after_entries();
    return 0;
}

int mmu_unmap(void *start, size_t count)
{
    char *virt = start;

    for (size_t i = 0; i < count; i++, virt += PAGE_SIZE) {
        unsigned int at;
        uint64_t *entry = walk(virt, 1, &at);

        if (at == 1)
            store_once(entry, 0);
    }
    flush(start, count);
    return 0;
}

int mmu_guard(void *page, bool guard)
{
    unsigned int at;
    uint64_t *entry = walk(page, 1, &at);

    if (at > 1)
        return -XEN_EINVAL;
    store_once(entry, guard ? 0 : paddr_of(page) | PAGE_RW);
    if (guard)
        flush(page, 1);
    else
        barrier_after_entries();
    return 0;
}

const void *arm_mmu_look(uint64_t paddr, size_t len)
{
    uint64_t start = paddr & ~(uint64_t)(LARGE_PAGE - 1);
    unsigned int at;
    uint64_t *entry = walk(WINDOW, 2, &at);

    if (len > LARGE_PAGE || paddr > PADDR_MASK - 2 * LARGE_PAGE)
        return NULL;
    entry[0] = entry[1] = 0;
    flush(WINDOW, FLUSH_PAGES + 1);
    for (unsigned int i = 0; i < 2; i++)
        entry[i] = (start + i * LARGE_PAGE) | (PAGE_RO & ~(uint64_t)DESC_TABLE);
    barrier_after_entries();
    return WINDOW + (paddr - start);
}

int arm_mmu_map_page(void *virt, uint64_t paddr, bool device)
{
    uint64_t *entry = provide(virt, page_alloc_zeroed);

    if (!entry)
        return -XEN_ENOMEM;
    store_once(entry, (paddr & PADDR_MASK) | (device ? DEVICE_RW : PAGE_RW));
    barrier_after_entries();
    return 0;
}

uint64_t arm_mmu_paddr(const void *virt)
{
    unsigned int at;

    return *walk(virt, 1, &at) & PADDR_MASK;
}

void *arm_mmu_boot_table(void)
{
    static unsigned int used;

    return used == 3 ? NULL : arm_tables_end - ENTRIES * ++used;
}
