/* SPDX-License-Identifier: MIT
 *
 * What of the kernel the fuzzed network frontend stands on: pages, grants, event channels, threads.
 * Each remembers who has what.
 */
#include <stdlib.h>
#include <string.h>
#include "events/events.h"
#include "grant/grant.h"
#include "mm/page.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/netfront.h"

struct lent refs[REFS];
unsigned long pages;

/* Freed ones are kept for the next input: the sanitizer takes long to make one. */
static void *kept[REFS];
static unsigned int nr_kept;

void *pages_alloc(unsigned int order)
{
    MUST(order == 0);
    pages++;
    return nr_kept ? kept[--nr_kept] : aligned_alloc(PAGE_SIZE, PAGE_SIZE);
}

void *page_alloc_zeroed(void)
{
    return memset(pages_alloc(0), 0, PAGE_SIZE);
}

void must_not_be_shown(const void *page)
{
    static unsigned int turn;

    for (unsigned int ref = 0; ref < REFS && turn % 16 == 0; ref++)
        MUST(refs[ref].page != page);
    turn++;
}

static void keep_page(void *page)
{
    pages--;
    if (nr_kept < REFS)
        kept[nr_kept++] = page;
    else
        free(page);
}

void pages_free(void *page, unsigned int order)
{
    (void)order;
    if (!page)
        return;
    must_not_be_shown(page);
    keep_page(page);
}

void page_get_stats(struct page_stats *stats)
{
    *stats = (struct page_stats){ 16384, 16384 - pages };
}

int grant_reserve(grant_ref_t *ref)
{
    static grant_ref_t last;

    for (unsigned int i = 0; i < REFS; i++) {
        last = last + 1 < REFS ? last + 1 : 8;
        if (!refs[last].used) {
            refs[last].used = true;
            *ref = last;
            return 0;
        }
    }
    return -XEN_ENOSPC;
}

int grant_allow(grant_ref_t ref, domid_t domid, const void *page, bool readonly)
{
    (void)domid;
    MUST(ref < REFS && refs[ref].used && !refs[ref].page && !refs[ref].parked);
    refs[ref].page = page;
    refs[ref].readonly = readonly;
    return 0;
}

int grant_forbid(grant_ref_t ref)
{
    MUST(ref < REFS && refs[ref].used && !refs[ref].parked);
    if (refs[ref].mapped)
        return -XEN_EBUSY;
    refs[ref].page = NULL;
    return 0;
}

int grant_access(domid_t domid, const void *page, bool readonly, grant_ref_t *ref)
{
    int rc = grant_reserve(ref);

    return rc ? rc : grant_allow(*ref, domid, page, readonly);
}

int grant_end(grant_ref_t ref)
{
    int rc = grant_forbid(ref);

    refs[ref].used = rc != 0;
    return rc;
}

void grant_end_and_free(grant_ref_t ref, void *page)
{
    MUST(refs[ref].page == page);
    if (grant_end(ref))
        refs[ref].parked = true;
    else
        pages_free(page, 0);
}

void grant_get_stats(struct grant_stats *stats)
{
    *stats = (struct grant_stats){ .parked = 0 };
}

void unmap_all(void)
{
    for (unsigned int ref = 0; ref < REFS; ref++) {
        refs[ref].mapped = false;
        if (!refs[ref].parked)
            continue;
        keep_page((void *)refs[ref].page);
        memset(&refs[ref], 0, sizeof(refs[ref]));
    }
}

bool ports[PORTS];

int event_alloc_unbound(domid_t remote, event_handler *handler, void *arg, evtchn_port_t *port)
{
    (void)remote;
    (void)handler;
    (void)arg;
    for (*port = 1; *port < PORTS; ++*port) {
        if (!ports[*port]) {
            ports[*port] = true;
            return 0;
        }
    }
    return -XEN_ENOSPC;
}

void event_unbind(evtchn_port_t port)
{
    MUST(port < PORTS && ports[port]);
    ports[port] = false;
}

int event_move(evtchn_port_t port, unsigned int vcpu)
{
    (void)vcpu;
    MUST(port < PORTS && ports[port]);
    return 0;
}

int event_notify(evtchn_port_t port)
{
    MUST(port < PORTS && ports[port]);
    return 0;
}

uint64_t cpu_random(void)
{
    return 0x0123456789abcdef;
}

unsigned int threads;

int thread_create_with(struct thread **thread, const struct thread_options *options,
                       void (*fn)(void *arg), void *arg)
{
    (void)options;
    (void)fn;
    (void)arg;
    *thread = (void *)&threads;
    threads++;
    return 0;
}

int thread_join(struct thread *thread, uint64_t deadline_ns)
{
    (void)thread;
    (void)deadline_ns;
    threads--;
    return 0;
}

void thread_detach(struct thread *thread)
{
    (void)thread;
}

void thread_yield(void)
{
}

int thread_set_affinity(struct thread *thread, const struct vcpu_set *vcpus)
{
    (void)thread;
    (void)vcpus;
    return 0;
}

void thread_set_priority(struct thread *thread, unsigned int priority, bool fifo)
{
    (void)thread;
    (void)priority;
    (void)fifo;
}
