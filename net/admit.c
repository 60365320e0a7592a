/* SPDX-License-Identifier: MIT
 *
 * What TCP gets to see: lwIP asks here for each packet that belongs to a connection or a listener.
 * Connections that a SYN began and nobody finished are limited in number, the oldest go first, and
 * do not fill a listener's backlog; data that would take more than the budget (net/budget.h) is
 * dropped, as the network may drop it.
 *
 * held: net lock, everywhere.
 */
#include "kernel/time.h"
#include "lwip/priv/tcp_priv.h"
#include "mm/page.h"
#include "net/budget.h"
#include "net/socket.h"

/* Connections that wait for the last packet of their handshake; so many of the oldest go when there
 * are more. */
#define HALF_OPEN_MAX  256
#define HALF_OPEN_DROP 32
/* What came out of order is forgotten everywhere at most so often. */
#define FORGET_NS (100 * NS_PER_MS)

unsigned int net_held_pages, net_sent_pages, net_budget_pages, net_budget_option_kib;

void net_budget_start(void)
{
    struct page_stats stats;

    page_get_stats(&stats);
    net_budget_pages = net_budget_option_kib ? net_budget_option_kib / (PAGE_SIZE / 1024)
                                             : (unsigned int)MIN(stats.free / 4, 1u << 20);
    net_budget_pages = MAX(net_budget_pages, 64);
}

/* --- connections that begin --- */

/* They are not the backlog's: that is of connections nobody accepted. How many there are. */
static unsigned int count_half_open(void)
{
    unsigned int count = 0;

    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
        if (pcb->state != SYN_RCVD)
            continue;
        tcp_backlog_accepted(pcb);
        count++;
    }
    return count;
}

/* All but the `keep` youngest, which are first in the list. */
static void drop_half_open(unsigned int keep)
{
    struct tcp_pcb *pcb = tcp_active_pcbs, *next;

    for (; pcb; pcb = next) {
        next = pcb->next;
        if (pcb->state != SYN_RCVD)
            continue;
        if (keep)
            keep--;
        else
            tcp_abandon(pcb, 0); /* unlinks this one only */
    }
}

/* Before lwIP makes a connection for a SYN. */
static void make_room(const struct tcp_pcb_listen *listener)
{
    static unsigned int at_most; /* half open: counted, and one for each SYN since */

    if (at_most < HALF_OPEN_MAX && listener->accepts_pending < listener->backlog) {
        at_most++;
        return;
    }
    at_most = count_half_open();
    if (at_most >= HALF_OPEN_MAX) {
        drop_half_open(HALF_OPEN_MAX - HALF_OPEN_DROP);
        at_most = HALF_OPEN_MAX - HALF_OPEN_DROP;
    }
    at_most++;
}

/* --- data --- */

static unsigned int pages_of(const struct pbuf *p)
{
    unsigned int pages = 0;

    for (; p; p = p->next)
        pages += p->netbuf != NULL;
    return pages;
}

static unsigned int out_of_order(const struct tcp_pcb *pcb)
{
    unsigned int pages = 0;

    for (const struct tcp_seg *seg = pcb->ooseq; seg; seg = seg->next)
        pages += pages_of(seg->p);
    return pages;
}

/* Its senders have it still. */
static void forget_out_of_order(void)
{
    static uint64_t next_ns;

    if (time_now_ns() < next_ns)
        return;
    next_ns = time_after_ns(FORGET_NS);
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        tcp_free_ooseq(pcb);
}

static bool has_room(struct tcp_pcb *pcb, uint32_t sequence)
{
    const struct socket *s = pcb->callback_arg;
    unsigned int own = s ? s->held_pages : 0;

    if (net_budget_allows(own + out_of_order(pcb)))
        return true;
    if (sequence != pcb->rcv_nxt)
        return false;
    tcp_free_ooseq(pcb);
    if (!net_budget_allows(own))
        forget_out_of_order();
    return net_budget_allows(own);
}

/* lwIP's hook. `pcb` may be a listener. */
err_t net_tcp_admit(struct tcp_pcb *pcb, const struct tcp_hdr *header, const struct pbuf *p)
{
    if (pcb->state == LISTEN) {
        if ((TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
            make_room((const struct tcp_pcb_listen *)pcb);
        return ERR_OK;
    }
    if (p->tot_len == 0 || !net_budget_is_tight())
        return ERR_OK;
    return has_room(pcb, header->seqno) ? ERR_OK : ERR_MEM;
}
