/* SPDX-License-Identifier: MIT
 *
 * Netbufs: counted pages for packets.  Unused ones stay netbufs: each vCPU keeps some at hand,
 * reached without a lock, and exchanges them by the batch with a depot that all share, because
 * packets are often freed on another vCPU than the one that allocates.  A page is cleared when it
 * becomes a netbuf and then holds nothing but packets, so showing it to a backend shows no more.
 * When several domains are backends it is cleared for each use, so that none sees another's
 * packets.
 */
#include <string.h>
#include "lib/irq.h"
#include "lib/spinlock.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "net/netdev.h"

#define BATCH         32
#define DEPOT_BATCHES 16 /* 2 MiB at most; beyond it pages go back to the page allocator */
#define DEPOT_SHARE   32 /* and this part of the memory */

/* A vCPU's own, touched only by it with upcalls masked. */
struct netbuf_pool {
    struct netbuf *first;
    unsigned int count; /* at most 2 * BATCH */
};

static spinlock_t lock = SPINLOCK_INIT;
/* held: lock */
static struct netbuf *depot[DEPOT_BATCHES]; /* each a list of BATCH */
static unsigned int depot_batches;
static unsigned int depot_max; /* set when the first netbuf is made */

static bool scrub;          /* a page is cleared each time it is used again */
static unsigned long total; /* netbufs that exist; atomic */

/* The calling vCPU's pool; NULL: no memory for one. Upcalls masked. */
static struct netbuf_pool *own_pool(void)
{
    struct percpu *cpu = this_percpu();

    if (!cpu->netbufs)
        cpu->netbufs = kmem_alloc(sizeof(*cpu->netbufs));
    return cpu->netbufs;
}

/* Upcalls masked. */
static void refill_from_depot(struct netbuf_pool *pool)
{
    spin_lock(&lock);
    if (depot_batches) {
        pool->first = depot[--depot_batches];
        pool->count = BATCH;
    }
    spin_unlock(&lock);
}

static void set_depot_max(void)
{
    struct page_stats pages;

    page_get_stats(&pages);
    store_once(&depot_max, (unsigned int)MIN(1 + pages.total / DEPOT_SHARE / BATCH, DEPOT_BATCHES));
}

static struct netbuf *make(void)
{
    struct netbuf *buf = kmem_alloc(sizeof(*buf));

    if (!load_once(&depot_max))
        set_depot_max();
    if (!buf)
        return NULL;
    buf->page = page_alloc_zeroed();
    if (!buf->page) {
        kmem_free(buf);
        return NULL;
    }
    buf->refs = 1;
    (void)__atomic_fetch_add(&total, 1, __ATOMIC_RELAXED);
    return buf;
}

unsigned int netbuf_alloc_some(struct netbuf **bufs, unsigned int count)
{
    bool enabled = upcalls_save();
    struct netbuf_pool *pool = own_pool();
    unsigned int got = 0;

    while (pool && got < count) {
        if (!pool->first)
            refill_from_depot(pool);
        if (!pool->first)
            break;
        bufs[got++] = pool->first;
        pool->first = pool->first->next;
        pool->count--;
    }
    upcalls_restore(enabled);
    for (unsigned int i = 0; i < got && load_once(&scrub); i++)
        memset(bufs[i]->page, 0, PAGE_SIZE);
    while (got < count && (bufs[got] = make()))
        got++;
    return got;
}

struct netbuf *netbuf_alloc(void)
{
    struct netbuf *buf;

    return netbuf_alloc_some(&buf, 1) ? buf : NULL;
}

void netbuf_scrub(void)
{
    store_once(&scrub, true);
}

void *netbuf_take_page(struct netbuf *buf)
{
    void *page = buf->page;

    kmem_free(buf);
    (void)__atomic_fetch_sub(&total, 1, __ATOMIC_RELAXED);
    return page;
}

/* Take BATCH netbufs off a pool that has more; put them into the depot, or return what it has no
 * room for. Upcalls masked. */
static struct netbuf *spill(struct netbuf_pool *pool)
{
    struct netbuf *batch = pool->first, *last = batch;
    bool kept;

    for (unsigned int i = 1; i < BATCH; i++)
        last = last->next;
    pool->first = last->next;
    pool->count -= BATCH;
    last->next = NULL;
    spin_lock(&lock);
    kept = depot_batches < depot_max;
    if (kept)
        depot[depot_batches++] = batch;
    spin_unlock(&lock);
    return kept ? NULL : batch;
}

static void unmake(struct netbuf *buf)
{
    while (buf) {
        struct netbuf *next = buf->next;

        pages_free(netbuf_take_page(buf), 0);
        buf = next;
    }
}

/* Move netbufs from a list to the calling vCPU's pool. What comes back there is no room for. */
static struct netbuf *keep(struct netbuf **list)
{
    bool enabled = upcalls_save();
    struct netbuf_pool *pool = own_pool();
    struct netbuf *surplus = pool ? NULL : *list, *buf = pool ? *list : NULL;

    for (struct netbuf *next; buf && !surplus; buf = next) {
        next = buf->next;
        buf->refs = 1;
        buf->next = pool->first;
        pool->first = buf;
        if (++pool->count == 2 * BATCH)
            surplus = spill(pool);
    }
    *list = buf;
    upcalls_restore(enabled);
    return surplus;
}

void netbuf_free_list(struct netbuf *first)
{
    while (first)
        unmake(keep(&first));
}

void netbuf_free(struct netbuf *buf)
{
    buf->next = NULL;
    netbuf_free_list(buf);
}

void netbuf_get_stats(struct netbuf_stats *stats)
{
    bool enabled = spin_lock_save(&lock);

    stats->total = load_once(&total);
    stats->pooled = depot_batches * BATCH;
    spin_unlock_restore(&lock, enabled);
    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS; vcpu++) {
        const struct netbuf_pool *pool = percpus[vcpu] ? percpus[vcpu]->netbufs : NULL;

        stats->pooled += pool ? load_once(&pool->count) : 0;
    }
}
