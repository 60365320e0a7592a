/* SPDX-License-Identifier: MIT
 *
 * Receiving.  The ring is kept filled with pages the backend may write to, few at first, and twice
 * as many whenever it had used up half of them, as far as memory goes; it answers in order, so a
 * page is found by its place in the ring.  A page's grant is ended before anybody looks at what is
 * on it, so that the backend cannot change what was judged.  Responses are judged as copies; what
 * the protocol rules out closes the interface.  Follows Xen public/io/netif.h.
 */
#include <string.h>
#include "events/events.h"
#include "grant/grant.h"
#include "mm/page.h"
#include "netfront/internal.h"

#define REFILL_MAX 32                           /* pages got in one go */
#define RX_MIN     (XEN_NETIF_NR_SLOTS_MIN + 2) /* pages without which no large packet would come */
#define RX_FIRST   64
#define RX_SHARE   8 /* of the free memory all queues' rings may hold this part */

static int note_fault(struct rx *rx, const char *field, uint64_t value)
{
    rx->fault = (struct netfront_fault){ field, value };
    return -XEN_EPROTO;
}

/* The page behind the next response, no longer the backend's. */
static int take_page(struct rx *rx, struct netbuf **buf)
{
    unsigned int slot = SLOT_OF(rx->cons);

    if (grant_forbid(rx->refs[slot]))
        return note_fault(rx, "rx id of a page that is still mapped", slot);
    *buf = rx->bufs[slot];
    rx->bufs[slot] = NULL;
    return 0;
}

static void let_go(struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
    packet->nfrags = 0;
}

static void begin_packet(struct rx *rx, uint16_t flags)
{
    struct netdev_packet *packet = &rx->packet;

    packet->nfrags = packet->len = 0;
    packet->csum_blank = flags & NETRXF_csum_blank;
    packet->csum_valid = flags & (NETRXF_csum_blank | NETRXF_data_validated);
    packet->gso = NETDEV_GSO_NONE;
    packet->gso_size = 0;
    rx->drop = false;
}

static int add_fragment(struct rx *rx, const struct netif_rx_response *rsp, struct netbuf *buf)
{
    struct netdev_packet *packet = &rx->packet;
    unsigned int len = (unsigned int)rsp->status;

    if (rsp->offset + len > PAGE_SIZE)
        return note_fault(rx, "rx offset + status", rsp->offset + len);
    if (packet->nfrags == NETDEV_FRAGS_MAX)
        return note_fault(rx, "number of rx responses for one packet", packet->nfrags + 1);
    if (packet->len + len > NETDEV_LEN_MAX)
        return note_fault(rx, "length of an rx packet", packet->len + len);
    packet->len += len;
    packet->frag[packet->nfrags++] = (struct netdev_frag){ buf, rsp->offset, len };
    return 0;
}

static int take_response(struct rx *rx)
{
    struct netif_rx_response rsp;
    struct netbuf *buf;
    int rc;

    memcpy(&rsp, &rx->sring->ring[SLOT_OF(rx->cons)].rsp, sizeof(rsp));
    compiler_barrier(); /* judged is the copy */
    if (rsp.id != SLOT_OF(rx->cons))
        return note_fault(rx, "rx id, which is not the next request's,", rsp.id);
    if (rx->in_packet && rsp.flags & NETRXF_extra_info)
        return note_fault(rx, "rx flags inside of a packet", rsp.flags);
    rc = take_page(rx, &buf);
    if (rc)
        return rc;
    if (!rx->in_packet)
        begin_packet(rx, rsp.flags);
    rx->in_packet = rsp.flags & NETRXF_more_data;
    rx->extra_follows = rsp.flags & NETRXF_extra_info;
    if (rsp.status > 0)
        rc = add_fragment(rx, &rsp, buf);
    else if (rsp.status < 0)
        rx->drop = true; /* the backend's own trouble */
    if (rc || rsp.status <= 0)
        netbuf_put(buf);
    return rc;
}

static int take_gso(struct netfront_queue *q, const struct netif_extra_info *extra)
{
    struct netdev_packet *packet = &q->rx.packet;

    if (extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 || !q->nf->gso4) {
        if (extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6 || !q->nf->gso6)
            return note_fault(&q->rx, "rx gso.type, which was not agreed on,", extra->u.gso.type);
    }
    if (extra->u.gso.size == 0)
        return note_fault(&q->rx, "rx gso.size", 0);
    packet->gso = extra->u.gso.type;
    packet->gso_size = extra->u.gso.size;
    packet->csum_blank = packet->csum_valid = true;
    return 0;
}

/* A response that says more of the packet, in place of the page it takes. */
static int take_extra(struct netfront_queue *q)
{
    struct rx *rx = &q->rx;
    struct netif_extra_info extra;
    struct netbuf *buf;
    int rc;

    memcpy(&extra, &rx->sring->ring[SLOT_OF(rx->cons)].rsp, sizeof(extra));
    compiler_barrier(); /* judged is the copy */
    rc = take_page(rx, &buf);
    if (rc)
        return rc;
    netbuf_put(buf);
    rx->extra_follows = extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
    if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO)
        return take_gso(q, &extra);
    if (extra.type == XEN_NETIF_EXTRA_TYPE_HASH && q->nf->hash)
        return 0;
    return note_fault(rx, "rx extra type", extra.type);
}

static void hand_up(struct netfront_queue *q)
{
    struct netdev *dev = &q->nf->dev;
    struct rx *rx = &q->rx;

    if (rx->drop || rx->packet.nfrags == 0 || rx->packet.frag[0].len < 14) {
        rx->dropped++;
        let_go(&rx->packet);
    } else {
        rx->packets++;
        if (dev->receive && load_once(&q->nf->carrier))
            dev->receive(dev, q->index, &rx->packet);
        else
            let_go(&rx->packet);
        rx->packet.nfrags = 0;
    }
}

static void post(struct rx *rx, domid_t domid, struct netbuf *buf)
{
    unsigned int slot = SLOT_OF(rx->prod);
    struct netif_rx_request request = { .id = slot, .gref = rx->refs[slot] };

    rx->bufs[slot] = buf;
    (void)grant_allow(request.gref, domid, netbuf_page(buf), false);
    memcpy(&rx->sring->ring[slot].req, &request, sizeof(request));
    rx->prod++;
}

/* Give the backend pages until there are enough or memory is out. */
static bool refill(struct netfront_queue *q)
{
    struct rx *rx = &q->rx;
    RING_IDX shown = rx->prod;
    struct netbuf *fresh[REFILL_MAX];
    unsigned int count = 1;

    while (rx_is_short(rx) && count) {
        count = netbuf_alloc_some(fresh, MIN(REFILL_MAX, rx->target - (rx->prod - rx->cons)));
        for (unsigned int i = 0; i < count; i++)
            post(rx, q->nf->xenbus.backend_id, fresh[i]);
    }
    return rx->prod != shown &&
           ring_push(&rx->sring->req_prod, &rx->sring->req_event, shown, rx->prod);
}

/* Want an event for the next response. True if it is there already. */
static bool want_event(struct rx *rx)
{
    store_once(&rx->sring->rsp_event, rx->cons + 1);
    memory_barrier(); /* the backend sets rsp_prod, then looks at rsp_event */
    return load_once(&rx->sring->rsp_prod) != rx->cons;
}

int rx_poll(struct netfront_queue *q, unsigned int budget)
{
    struct netdev *dev = &q->nf->dev;
    struct rx *rx = &q->rx;
    RING_IDX prod = load_acquire(&rx->sring->rsp_prod); /* pairs with the backend's release */
    uint64_t packets = rx->packets;
    int rc = 0;

    if (prod - rx->cons > rx->prod - rx->cons)
        return note_fault(rx, "rx rsp_prod", prod);
    if (rx->prod - prod < rx->target / 2)
        rx->target = MIN(2 * rx->target, rx->target_max);
    for (; rx->cons != prod && budget; budget--) {
        rc = rx->extra_follows ? take_extra(q) : take_response(rx);
        if (rc)
            return rc;
        rx->cons++;
        if (!rx->in_packet && !rx->extra_follows)
            hand_up(q);
    }
    if (refill(q))
        event_notify(q->rx_port);
    if (rx->packets != packets && dev->batch_end)
        dev->batch_end(dev, q->index);
    return rx->cons != prod || want_event(rx);
}

static void set_target(struct netfront_queue *q)
{
    unsigned int queues = MAX(q->nf->dev.features.queues, 1);
    struct page_stats pages;

    page_get_stats(&pages);
    q->rx.target_max =
        (unsigned int)MIN(MAX(pages.free / RX_SHARE / queues, RX_MIN), (unsigned long)RING_SLOTS);
    q->rx.target = MIN(RX_FIRST, q->rx.target_max);
}

int rx_open(struct netfront_queue *q)
{
    struct rx *rx = &q->rx;
    void *page;
    int rc = ring_open(q->nf->xenbus.backend_id, &page, &rx->sring_ref);

    if (rc)
        return rc;
    rx->sring = page;
    SHARED_RING_INIT(rx->sring);
    rx->prod = rx->cons = 0;
    set_target(q);
    rx->extra_follows = rx->in_packet = false;
    rx->packet.nfrags = 0;
    rx->fault.field = NULL;
    for (unsigned int i = 0; i < RING_SLOTS && rc == 0; i++)
        rc = grant_reserve(&rx->refs[i]);
    if (rc)
        return rc;
    refill(q);
    return rx->prod < RX_MIN ? -XEN_ENOMEM : 0;
}

void rx_close(struct netfront_queue *q)
{
    struct rx *rx = &q->rx;

    let_go(&rx->packet); /* what there is of one */
    for (unsigned int i = 0; i < RING_SLOTS; i++) {
        if (rx->refs[i] && rx->bufs[i])
            grant_end_and_free(rx->refs[i], netbuf_take_page(rx->bufs[i]));
        else if (rx->refs[i])
            grant_end(rx->refs[i]);
        rx->bufs[i] = NULL;
        rx->refs[i] = GRANT_NONE;
    }
    ring_close(rx->sring, &rx->sring_ref);
    rx->sring = NULL;
}
