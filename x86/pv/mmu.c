/* SPDX-License-Identifier: MIT
 *
 * Page tables of a PV domain.  They hold machine frames, are mapped read-only, and change only by
 * hypercall; a table is filled while it is still an ordinary page, then made read-only, then hooked
 * into its parent, which makes Xen validate it as a whole: far cheaper than an update per entry.
 * A frame mapped writable anywhere cannot be a table.  Follows Xen public/xen.h
 * (HYPERVISOR_mmu_update) and arch/x86/mm.c.
 */
#include <string.h>
#include "hypercall/pv.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/types.h"
#include "mm/page.h"
#include "x86/pv/pv.h"

#define PTE_PRESENT    (1UL << 0)
#define PTE_WRITE      (1UL << 1)
#define PTE_USER       (1UL << 2)
#define PTE_ACCESSED   (1UL << 5)
#define PTE_DIRTY      (1UL << 6)
#define PTE_NX         (1UL << 63)
#define PTE_FRAME(pte) (((pte)&0x000ffffffffff000UL) >> PAGE_SHIFT)

#define PTE_RO (PTE_PRESENT | PTE_ACCESSED | PTE_NX)
#define PTE_RW (PTE_RO | PTE_WRITE | PTE_DIRTY)
/* Inner levels: rights are given or taken below, except that nothing is executable. */
#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY | PTE_NX)

#define ENTRIES 512
#define BATCH   32 /* updates in one hypercall; 512 bytes of stack */

extern char __text_start[], __rodata_start[], __rodata_end[];

static const unsigned long *p2m; /* NULL: no PV domain; a frame is called by its pfn */
static unsigned long p2m_pages;
static uint64_t *root;

struct batch {
    struct mmu_update updates[BATCH];
    unsigned int count;
    int rc; /* of the first hypercall that failed */
};

static void batch_flush(struct batch *batch)
{
    if (batch->count && batch->rc == 0)
        batch->rc = hypercall_mmu_update(batch->updates, batch->count);
    batch->count = 0;
}

/* A pointer into the direct map as a machine address. */
static uint64_t machine_address(const void *ptr)
{
    return virt_to_mfn(ptr).n << PAGE_SHIFT | ((unsigned long)ptr & ~PAGE_MASK);
}

static void batch_add(struct batch *batch, const uint64_t *entry, uint64_t value)
{
    if (batch->count == BATCH)
        batch_flush(batch);
    batch->updates[batch->count++] =
        (struct mmu_update){ .ptr = machine_address(entry) | MMU_NORMAL_PT_UPDATE, .val = value };
}

mfn_t virt_to_mfn(const void *ptr)
{
    pfn_t pfn = virt_to_pfn(ptr);

    if (!p2m)
        return (mfn_t){ pfn.n };
    kassert(pfn.n < p2m_pages);
    return (mfn_t){ p2m[pfn.n] };
}

/* The table a present inner entry points at. */
static uint64_t *entry_table(uint64_t entry)
{
    return pfn_to_virt((pfn_t){ machine_to_phys_mapping[PTE_FRAME(entry)] });
}

static unsigned int table_index(const void *virt, unsigned int level)
{
    return (unsigned long)virt >> (PAGE_SHIFT + 9 * (level - 1)) & (ENTRIES - 1);
}

/* The entry of `virt` at `level` (1: the last); NULL when a table above it is missing, whose level
 * is then in *missing. */
static uint64_t *walk(const void *virt, unsigned int level, unsigned int *missing)
{
    uint64_t *table = root;

    for (unsigned int at = 4; at > level; at--) {
        uint64_t entry = table[table_index(virt, at)];

        if (!(entry & PTE_PRESENT)) {
            *missing = at;
            return NULL;
        }
        table = entry_table(entry);
    }
    return &table[table_index(virt, level)];
}

/* `table` is filled; make it read-only and the target of the entry of `virt` at `level`. */
static int hook_table(const void *virt, unsigned int level, uint64_t *table)
{
    struct batch batch = { .count = 0 };
    unsigned int missing;
    uint64_t frame = virt_to_mfn(table).n << PAGE_SHIFT;
    uint64_t *own = walk(table, 1, &missing);

    batch_add(&batch, own, frame | PTE_RO);
    batch_add(&batch, walk(virt, level, &missing), frame | PTE_TABLE);
    batch_flush(&batch);
    if (batch.rc)
        hypercall_update_va_mapping(table, frame | PTE_RW, UVMF_INVLPG | UVMF_ALL);
    return batch.rc;
}

/* Make sure that `virt` has tables down to `level`, which is then present with an entry. A table
 * Xen refuses is lost: the caller may hold the page allocator's lock, so it can't be given back
 * here. */
static int provide_tables(const void *virt, unsigned int level, void *(*more)(void))
{
    unsigned int missing = 0;
    int rc = 0;

    while (rc == 0 && !walk(virt, level, &missing)) {
        uint64_t *table = more();

        if (!table)
            return -XEN_ENOMEM;
        memset(table, 0, PAGE_SIZE);
        rc = hook_table(virt, missing, table);
    }
    return rc;
}

int pv_mmu_map_direct(void *start, void *end, void *(*more)(void))
{
    uint64_t *entries;
    int rc = provide_tables(start, 2, more);

    if (rc)
        return rc;
    entries = more();
    if (!entries)
        return -XEN_ENOMEM;
    memset(entries, 0, PAGE_SIZE);
    for (char *virt = start; virt < (char *)end; virt += PAGE_SIZE)
        entries[table_index(virt, 1)] = virt_to_mfn(virt).n << PAGE_SHIFT | PTE_RW;
    return hook_table(start, 2, entries);
}

int pv_mmu_map(void *start, const mfn_t *frames, size_t count, bool writable)
{
    struct batch batch = { .count = 0 };
    char *virt = start;
    uint64_t *entry = NULL;

    for (size_t i = 0; i < count; i++, virt += PAGE_SIZE) {
        unsigned int missing;

        if (!entry || ((unsigned long)entry & ~PAGE_MASK) == 0) { /* a new last-level table */
            int rc = provide_tables(virt, 1, page_alloc_zeroed);

            if (rc)
                return rc;
            entry = walk(virt, 1, &missing);
        }
        batch_add(&batch, entry++, frames[i].n << PAGE_SHIFT | (writable ? PTE_RW : PTE_RO));
    }
    batch_flush(&batch);
    return batch.rc;
}

int pv_mmu_unmap(void *start, size_t count)
{
    struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_ALL };
    struct batch batch = { .count = 0 };
    char *virt = start;

    for (size_t i = 0; i < count; i++, virt += PAGE_SIZE) {
        unsigned int missing;
        uint64_t *entry = walk(virt, 1, &missing);

        if (entry)
            batch_add(&batch, entry, 0);
    }
    batch_flush(&batch);
    return batch.rc ? batch.rc : hypercall_mmuext(&flush, 1);
}

int pv_mmu_guard(void *page, bool guard)
{
    return hypercall_update_va_mapping(page, guard ? 0 : virt_to_mfn(page).n << PAGE_SHIFT | PTE_RW,
                                       UVMF_INVLPG | UVMF_ALL);
}

int pv_mmu_replace(void *page, uint64_t machine_address)
{
    return hypercall_update_va_mapping(page, machine_address | PTE_RW, UVMF_INVLPG | UVMF_LOCAL);
}

/* The builder maps everything read-write and executable. The linker script puts text and rodata
 * alone in their 2 MiB, ending at its end, and all the rest behind: so one bit in one level-2 entry
 * makes them read-only, and one bit in each other entry makes all the rest no-execute. Returns the
 * end of what is mapped. */
static void *protect_image(void)
{
    struct batch batch = { .count = 0 };
    unsigned int missing;
    uint64_t *text = walk(__text_start, 2, &missing);
    uint64_t *entry;
    char *virt;

    batch_add(&batch, text, *text & ~PTE_WRITE);
    for (virt = __rodata_start; virt < __rodata_end; virt += PAGE_SIZE) {
        entry = walk(virt, 1, &missing);
        batch_add(&batch, entry, *entry | PTE_NX);
    }
    while ((entry = walk(virt, 2, &missing)) && *entry & PTE_PRESENT) {
        batch_add(&batch, entry, *entry | PTE_NX);
        virt += PAGE_SIZE * ENTRIES;
    }
    batch_flush(&batch);
    if (batch.rc)
        panic("cannot protect the image: mmu_update: %s", error_name(batch.rc));
    return virt;
}

void *pv_mmu_init(const unsigned long *machine_frames, unsigned long nr_pages, uint64_t *page_root)
{
    p2m = machine_frames;
    p2m_pages = nr_pages;
    root = page_root;
    return protect_image();
}

unsigned long pv_mmu_root(void)
{
    return virt_to_mfn(root).n;
}
