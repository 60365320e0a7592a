/* SPDX-License-Identifier: MIT
 *
 * The FIFO event channel ABI: a word of state per port in pages we give to Xen, and per vCPU 16
 * queues, by priority, of ports linked through these words.  Xen appends, the vCPU takes off.
 * Follows Xen docs/designs/event-channels (FIFO-based event channel ABI) and
 * public/event_channel.h.
 *
 * Of a word we may set and clear MASKED, clear PENDING, and clear LINKED with LINK; all else is
 * Xen's.
 */
#include "arch/page.h"
#include "events/abi.h"
#include "hypercall/event_channel.h"
#include "lib/log.h"
#include "mm/page.h"

#define PENDING (1U << EVTCHN_FIFO_PENDING)
#define MASKED  (1U << EVTCHN_FIFO_MASKED)
#define LINKED  (1U << EVTCHN_FIFO_LINKED)
#define BUSY    (1U << EVTCHN_FIFO_BUSY)

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define BLOCK_STRIDE   128 /* a 72-byte control block never crosses a page */

static event_word_t *pages[EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE]; /* set once each, in order */
static unsigned int nr_pages;                                         /* held: events_lock */
static char *blocks[ROUND_UP(MAX_VCPUS * BLOCK_STRIDE, PAGE_SIZE) / PAGE_SIZE];

/* NULL: Xen has no word for that port. `port` < EVTCHN_FIFO_NR_CHANNELS. */
static event_word_t *word_of(evtchn_port_t port)
{
    event_word_t *page = load_acquire(&pages[port / WORDS_PER_PAGE]); /* pairs with add_page() */

    return page ? &page[port % WORDS_PER_PAGE] : NULL;
}

static int cpu_init(struct events_cpu *cpu)
{
    uint32_t at = cpu->vcpu * BLOCK_STRIDE;
    char **page = &blocks[at / PAGE_SIZE];
    int rc;

    if (!*page)
        *page = page_alloc_zeroed();
    if (!*page)
        return -XEN_ENOMEM;
    rc = hypercall_evtchn_init_control(virt_to_mfn(*page).n, at % PAGE_SIZE, cpu->vcpu);
    if (rc == 0)
        cpu->control = (void *)(*page + at % PAGE_SIZE);
    return rc;
}

int fifo_init(struct events_cpu *cpu)
{
    int rc = cpu_init(cpu);

    if (rc) { /* nobody uses the page then: Xen stays two-level */
        pages_free(blocks[0], 0);
        blocks[0] = NULL;
    }
    return rc;
}

static int add_page(void)
{
    event_word_t *page = pages_alloc(0);
    int rc;

    if (!page)
        return -XEN_ENOMEM;
    for (unsigned int i = 0; i < WORDS_PER_PAGE; i++)
        page[i] = MASKED; /* before Xen sees it: nothing is bound yet */
    rc = hypercall_evtchn_expand_array(virt_to_mfn(page).n);
    if (rc)
        pages_free(page, 0);
    else
        store_release(&pages[nr_pages++], page); /* pairs with word_of() */
    return rc;
}

/* held: events_lock, or boot */
static int reserve(evtchn_port_t port)
{
    int rc = 0;

    while (rc == 0 && nr_pages <= port / WORDS_PER_PAGE)
        rc = add_page();
    return rc;
}

static void mask(evtchn_port_t port)
{
    event_word_t *word = word_of(port);

    if (word)
        atomic_fetch_or(word, MASKED);
}

static bool pending(evtchn_port_t port)
{
    event_word_t *word = word_of(port);

    return word && load_acquire(word) & PENDING;
}

static void unmask(evtchn_port_t port)
{
    event_word_t *word = word_of(port), old;

    if (!word)
        return;
    old = load_acquire(word);
    do {
        while (old & BUSY) { /* Xen is writing the link, in a few instructions */
            cpu_relax();
            old = load_acquire(word);
        }
    } while (!atomic_compare_exchange(word, &old, old & ~MASKED));
    if (old & PENDING)
        hypercall_evtchn_unmask(port); /* only Xen can put it on a queue */
}

static bool queued(evtchn_port_t port)
{
    event_word_t *word = word_of(port);

    return word && load_acquire(word) & LINKED;
}

/* Take `word` off its queue; its next is in what is returned, with the flags as they were. */
static event_word_t unlink(event_word_t *word)
{
    event_word_t old = load_acquire(word);

    while (!atomic_compare_exchange(word, &old, old & ~(LINKED | EVTCHN_FIFO_LINK_MASK)))
        ;
    return old;
}

/* Take one event off queue `q` and serve it. */
static void serve(struct events_cpu *cpu, unsigned int q)
{
    evtchn_port_t port = cpu->head[q];
    event_word_t *word, old;
    struct event_port *p;

    if (port == 0)
        port = load_acquire(&cpu->control->head[q]); /* written before `ready` */
    word = port < EVTCHN_FIFO_NR_CHANNELS ? word_of(port) : NULL;
    if (port == 0 || !word) { /* never, from a sane Xen */
        cpu->ready &= ~(1U << q);
        cpu->head[q] = 0;
        cpu->spurious++;
        return;
    }
    old = unlink(word);
    cpu->head[q] = old & EVTCHN_FIFO_LINK_MASK;
    if (cpu->head[q] == 0)
        cpu->ready &= ~(1U << q);
    /* Masked or served since it was linked: only dropped; unmasking will have Xen link it again. */
    if ((old & (PENDING | MASKED)) != PENDING)
        return;
    p = event_claim(cpu, port);
    if (!p)
        return;
    atomic_fetch_and(word, ~PENDING);
    event_run(cpu, p, port);
}

static void scan(struct events_cpu *cpu, struct vcpu_info *info)
{
    (void)info;
    for (;;) {
        /* Each turn, because a more urgent queue may have filled. */
        if (load_once(&cpu->control->ready))
            cpu->ready |= atomic_exchange(&cpu->control->ready, 0);
        if (cpu->ready == 0)
            return;
        serve(cpu, lowest_bit(cpu->ready));
    }
}

const struct events_ops fifo_ops = {
    .nr_ports = EVTCHN_FIFO_NR_CHANNELS,
    .cpu_init = cpu_init,
    .reserve = reserve,
    .mask = mask,
    .unmask = unmask,
    .pending = pending,
    .queued = queued,
    .scan = scan,
};
