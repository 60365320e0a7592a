/* SPDX-License-Identifier: MIT
 *
 * The fake domain's memory: one memory file, mapped once as the direct map (what the code under
 * test sees), once as Xen sees it, and page by page wherever frames are mapped.  The page allocator
 * and the kernel heap are faked so that the address sanitizer sees stray accesses and leaks.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <sanitizer/asan_interface.h>
#include "arch/mmu.h"
#include "lib/panic.h"
#include "mm/address_space.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "tests/host/fake_xen.h"

#define DIRECT_MAP   0x10000000UL /* low: mm/page.c manages the first 2 TiB */
#define XEN_MAP      0x4a0000000000UL
#define OWN_FRAMES   16384UL /* a power of 2 */
#define XEN_FRAMES   4096UL
#define MFN_BASE     0x100000UL
#define MFN_SCRAMBLE 0x2a5UL

unsigned long direct_map_offset __attribute__((weak)) = DIRECT_MAP;
static int memory_file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long next_pfn = 16, next_xen_frame, allocs, live;
static long fail_after = -1;
static void *free_pages[PAGE_MAX_ORDER + 1]; /* the first word of a free block is the next */
static char *next_vspace = (char *)VSPACE_START;

static void *reserve(unsigned long address, size_t len, int fd)
{
    void *at = mmap((void *)address, len, fd < 0 ? PROT_NONE : PROT_READ | PROT_WRITE,
                    MAP_FIXED_NOREPLACE | MAP_NORESERVE |
                        (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED),
                    fd, 0);

    if (at != (void *)address) {
        perror("fake_mm: mmap");
        _exit(1);
    }
    return at;
}

void fake_mm_init(void)
{
    memory_file = memfd_create("domain", 0);
    if (memory_file < 0 || ftruncate(memory_file, (OWN_FRAMES + XEN_FRAMES) * PAGE_SIZE) < 0)
        abort();
    reserve(DIRECT_MAP, OWN_FRAMES * PAGE_SIZE, memory_file);
    reserve(XEN_MAP, (OWN_FRAMES + XEN_FRAMES) * PAGE_SIZE, memory_file);
    reserve(VSPACE_START, VSPACE_END - VSPACE_START, -1);
    reserve(HEAP_START, HEAP_END - HEAP_START, -1);
    __asan_poison_memory_region((void *)DIRECT_MAP, OWN_FRAMES * PAGE_SIZE);
}

/* Which page of the memory file; -1: no such frame. */
static long file_page(unsigned long mfn)
{
    unsigned long n = mfn - MFN_BASE;

    if (n < OWN_FRAMES)
        return n ^ MFN_SCRAMBLE;
    return n < OWN_FRAMES + XEN_FRAMES ? (long)n : -1;
}

FAKE mfn_t virt_to_mfn(const void *ptr)
{
    unsigned long pfn = virt_to_pfn(ptr).n;

    if (pfn >= OWN_FRAMES)
        fake_domain_ends("virt_to_mfn(%p): not in the direct map", ptr);
    return (mfn_t){ MFN_BASE + (pfn ^ MFN_SCRAMBLE) };
}

mfn_t fake_xen_frame(void)
{
    if (next_xen_frame == XEN_FRAMES)
        abort();
    return (mfn_t){ MFN_BASE + OWN_FRAMES + next_xen_frame++ };
}

void *fake_frame_at(unsigned long mfn)
{
    long page = file_page(mfn);

    return page < 0 ? NULL : (void *)(XEN_MAP + page * PAGE_SIZE);
}

bool fake_map(void *virt, mfn_t mfn, bool readonly)
{
    long page = file_page(mfn.n);

    return page >= 0 && ((unsigned long)virt & ~PAGE_MASK) == 0 &&
           mmap(virt, PAGE_SIZE, readonly ? PROT_READ : PROT_READ | PROT_WRITE,
                MAP_FIXED | MAP_SHARED, memory_file, page * PAGE_SIZE) == virt;
}

void fake_unmap(void *virt)
{
    mmap(virt, PAGE_SIZE, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
         0);
}

void fake_alloc_fail_after(long count)
{
    fail_after = count;
}

unsigned long fake_allocs(void)
{
    return allocs;
}

unsigned long fake_alloc_live(void)
{
    return live;
}

/* held: lock */
static bool may_allocate(void)
{
    if (fail_after == 0)
        return false;
    if (fail_after > 0)
        fail_after--;
    allocs++;
    live++;
    return true;
}

/* held: lock. Aligned to `align` pages. */
static void *take_fresh(unsigned long count, unsigned long align)
{
    unsigned long pfn = ROUND_UP(next_pfn, align);

    if (pfn + count > OWN_FRAMES)
        return NULL;
    next_pfn = pfn + count;
    return pfn_to_virt((pfn_t){ pfn });
}

void *fake_pages_reserve(unsigned long count)
{
    void *pages;

    pthread_mutex_lock(&lock);
    pages = take_fresh(count, 1UL << PAGE_MAX_ORDER);
    pthread_mutex_unlock(&lock);
    if (pages)
        __asan_unpoison_memory_region(pages, count * PAGE_SIZE);
    return pages;
}

FAKE void *pages_alloc(unsigned int order)
{
    void *pages = NULL;

    kassert(order <= PAGE_MAX_ORDER);
    pthread_mutex_lock(&lock);
    if (may_allocate()) {
        pages = free_pages[order];
        if (pages) {
            __asan_unpoison_memory_region(pages, sizeof(void *));
            free_pages[order] = *(void **)pages;
        } else {
            pages = take_fresh(1UL << order, 1UL << order);
        }
    }
    pthread_mutex_unlock(&lock);
    if (pages) {
        __asan_unpoison_memory_region(pages, PAGE_SIZE << order);
        memset(pages, 0xa5, PAGE_SIZE << order); /* "content undefined" */
    }
    return pages;
}

FAKE void *page_alloc_zeroed(void)
{
    void *page = pages_alloc(0);

    return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

FAKE void pages_free(void *pages, unsigned int order)
{
    if (!pages)
        return;
    if (__asan_address_is_poisoned(pages))
        fake_domain_ends("pages_free(%p): not allocated", pages);
    pthread_mutex_lock(&lock);
    *(void **)pages = free_pages[order];
    free_pages[order] = pages;
    live--;
    __asan_poison_memory_region(pages, PAGE_SIZE << order);
    pthread_mutex_unlock(&lock);
}

FAKE void page_get_stats(struct page_stats *stats)
{
    *stats = (struct page_stats){ .total = OWN_FRAMES, .free = OWN_FRAMES - next_pfn };
}

FAKE void *kmem_alloc(size_t size)
{
    bool may;

    pthread_mutex_lock(&lock);
    may = may_allocate();
    pthread_mutex_unlock(&lock);
    return may ? calloc(1, size) : NULL;
}

FAKE void kmem_free(void *ptr)
{
    if (!ptr)
        return;
    pthread_mutex_lock(&lock);
    live--;
    pthread_mutex_unlock(&lock);
    free(ptr);
}

FAKE void *vspace_alloc(size_t count)
{
    char *start;

    pthread_mutex_lock(&lock);
    start = next_vspace;
    next_vspace += (count + 1) * PAGE_SIZE;
    pthread_mutex_unlock(&lock);
    return (unsigned long)next_vspace <= VSPACE_END ? start : NULL;
}

FAKE void vspace_free(void *start, size_t count)
{
    (void)start;
    (void)count;
}

FAKE int map_frames(void *start, const mfn_t *frames, size_t count, enum map_prot prot)
{
    return mmu_map(start, frames, count, prot == MAP_WRITE);
}

FAKE void unmap_frames(void *start, size_t count)
{
    mmu_unmap(start, count);
}

FAKE int page_set_guard(void *page, bool guard)
{
    return mmu_guard(page, guard);
}

int mmu_map(void *start, const mfn_t *frames, size_t count, bool writable)
{
    for (size_t i = 0; i < count; i++) {
        if (!fake_map((char *)start + i * PAGE_SIZE, frames[i], !writable))
            return -XEN_EINVAL;
    }
    return 0;
}

int mmu_unmap(void *start, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fake_unmap((char *)start + i * PAGE_SIZE);
    return 0;
}

/* The whole direct map is mapped; poison says what is "not mapped yet". */
int mmu_map_direct(void *start, void *end, void *(*more)(void))
{
    size_t len = MIN((size_t)((char *)end - (char *)start), PAGE_SIZE << PAGE_MAX_ORDER);

    (void)more;
    __asan_unpoison_memory_region(start, len);
    return 0;
}

int mmu_guard(void *page, bool guard)
{
    return mprotect(page, PAGE_SIZE, guard ? PROT_NONE : PROT_READ | PROT_WRITE) ? -XEN_EINVAL : 0;
}
