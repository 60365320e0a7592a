/* SPDX-License-Identifier: MIT
 *
 * Sending.  The backend may read a fragment's page from the request to the response, by a grant
 * that each slot owns; it is taken back before the page is anybody else's.  Responses are judged as
 * copies: one for each request, of a slot that is busy, or the interface closes.  Follows Xen
 * public/io/netif.h.
 */
#include <string.h>
#include "events/events.h"
#include "grant/grant.h"
#include "netfront/internal.h"

#define REAP_MAX 32               /* responses taken in one go with upcalls masked */
#define ROOM     (RING_SLOTS / 4) /* free slots from which a refused sender is called */

/* All functions below down to tx_poll(): held: tx->lock. */

static unsigned int free_slots(const struct tx *tx)
{
    return RING_SLOTS - (tx->prod - tx->cons);
}

static int note_fault(struct tx *tx, const char *field, uint64_t value)
{
    tx->open = false;
    tx->fault = (struct netfront_fault){ field, value };
    return -XEN_EPROTO;
}

static int take_response(struct tx *tx, const struct netif_tx_response *rsp)
{
    struct tx_slot *slot;

    if (rsp->status == NETIF_RSP_NULL) { /* an extra request's; its id means nothing */
        if (!tx->extras)
            return note_fault(tx, "tx status without an extra request", rsp->status);
        tx->extras--;
        return 0;
    }
    if (rsp->id >= RING_SLOTS || tx->slots[rsp->id].next != TX_BUSY)
        return note_fault(tx, "tx id, which is of no request,", rsp->id);
    slot = &tx->slots[rsp->id];
    if (slot->buf) {
        if (grant_forbid(slot->ref))
            return note_fault(tx, "tx id of a page that is still mapped", rsp->id);
        netbuf_put(slot->buf);
        slot->buf = NULL;
    }
    tx->dropped += rsp->status != NETIF_RSP_OKAY;
    slot->next = tx->free;
    tx->free = rsp->id;
    return 0;
}

/* At most `budget` responses. 1: there are more. */
static int reap(struct tx *tx, unsigned int budget)
{
    RING_IDX prod = load_acquire(&tx->sring->rsp_prod); /* pairs with the backend's release */

    if (prod - tx->cons > tx->shown - tx->cons)
        return note_fault(tx, "tx rsp_prod", prod);
    for (; tx->cons != prod; tx->cons++) {
        struct netif_tx_response rsp;
        int rc;

        if (budget-- == 0)
            return 1;
        memcpy(&rsp, &tx->sring->ring[SLOT_OF(tx->cons)].rsp, sizeof(rsp));
        compiler_barrier(); /* judged is the copy */
        rc = take_response(tx, &rsp);
        if (rc)
            return rc;
    }
    return 0;
}

/* Want an event when half of what is asked is answered. True if that is the case already. */
static bool want_event(struct tx *tx)
{
    RING_IDX wanted = tx->cons + (tx->shown - tx->cons) / 2 + 1;

    store_once(&tx->sring->rsp_event, wanted);
    memory_barrier(); /* the backend sets rsp_prod, then looks at rsp_event */
    return (int32_t)(load_once(&tx->sring->rsp_prod) - wanted) >= 0;
}

static bool show(struct tx *tx)
{
    RING_IDX shown = tx->shown;

    tx->shown = tx->prod;
    return ring_push(&tx->sring->req_prod, &tx->sring->req_event, shown, tx->prod);
}

static struct netif_tx_request *request_at(struct tx *tx, unsigned int n)
{
    return &tx->sring->ring[SLOT_OF(tx->prod + n)].req;
}

/* Its number in *id. */
static struct tx_slot *take_slot(struct tx *tx, uint16_t *id)
{
    struct tx_slot *slot = &tx->slots[tx->free];

    *id = tx->free;
    tx->free = slot->next;
    slot->next = TX_BUSY;
    return slot;
}

static void put_extra(struct tx *tx, unsigned int n, const struct netif_extra_info *extra)
{
    memcpy(request_at(tx, n), extra, sizeof(*extra));
    tx->extras++;
}

/* A request for each fragment, extra_info behind the first. */
static void put_packet(struct tx *tx, domid_t domid, const struct netdev_packet *packet)
{
    uint16_t flags = 0;
    unsigned int n = 0;

    if (packet->csum_blank)
        flags = NETTXF_csum_blank | NETTXF_data_validated;
    else if (packet->csum_valid)
        flags = NETTXF_data_validated;
    if (packet->gso)
        flags |= NETTXF_extra_info;
    for (unsigned int i = 0; i < packet->nfrags; i++, flags = 0) {
        const struct netdev_frag *frag = &packet->frag[i];
        struct netif_tx_request request = { .offset = frag->offset, .size = frag->len };
        struct tx_slot *slot = take_slot(tx, &request.id);

        slot->buf = frag->buf;
        grant_allow(slot->ref, domid, netbuf_page(frag->buf), true);
        request.gref = slot->ref;
        request.flags = flags | (i + 1 < packet->nfrags ? NETTXF_more_data : 0);
        if (i == 0)
            request.size = packet->len; /* the first one's is the whole packet's */
        memcpy(request_at(tx, n++), &request, sizeof(request));
        if (i == 0 && packet->gso)
            put_extra(tx, n++,
                      &(struct netif_extra_info){
                          .type = XEN_NETIF_EXTRA_TYPE_GSO,
                          .u.gso = { .size = packet->gso_size, .type = packet->gso } });
    }
    tx->prod += n;
}

/* Room for `slots` requests. 0, -XEN_EAGAIN, -XEN_ENOTCONN, -XEN_EPROTO. */
static int make_room(struct tx *tx, unsigned int slots, bool *notify)
{
    int rc = 0;

    *notify = false;
    if (!tx->open)
        return -XEN_ENOTCONN;
    if (free_slots(tx) >= slots)
        return 0;
    *notify = show(tx); /* what is not shown is never answered */
    while (rc >= 0 && free_slots(tx) < slots) {
        rc = reap(tx, REAP_MAX);
        if (rc == 0 && free_slots(tx) < slots && !want_event(tx)) {
            tx->starved = true;
            return -XEN_EAGAIN;
        }
    }
    return MIN(rc, 0);
}

/* --- what the stack calls --- */

static bool can_be_sent(const struct netdev *dev, const struct netdev_packet *packet)
{
    const struct netdev_features *features = &dev->features;

    if (packet->nfrags == 0 || packet->nfrags > (features->sg ? NETDEV_FRAGS_MAX : 1) ||
        packet->len > NETDEV_LEN_MAX || packet->frag[0].len < 14)
        return false;
    if (packet->csum_blank && !features->csum_ipv4 && !features->csum_ipv6)
        return false;
    return packet->gso == NETDEV_GSO_NONE ||
           (packet->gso_size && packet->csum_blank &&
            (packet->gso == NETDEV_GSO_TCPV4 ? features->gso_tcpv4 : features->gso_tcpv6));
}

static struct netfront_queue *queue_of(struct netdev *dev, unsigned int queue)
{
    struct netfront *nf = dev->driver;

    return nf->queues[queue];
}

static int netfront_send(struct netdev *dev, unsigned int queue, const struct netdev_packet *packet)
{
    struct netfront_queue *q = queue_of(dev, queue);
    struct tx *tx = &q->tx;
    bool enabled, notify;
    int rc;

    if (!can_be_sent(dev, packet))
        return -XEN_EINVAL;
    enabled = spin_lock_save(&tx->lock);
    rc = make_room(tx, packet->nfrags + (packet->gso ? 1 : 0), &notify);
    if (rc == 0) {
        put_packet(tx, q->nf->xenbus.backend_id, packet);
        tx->packets++;
    }
    spin_unlock_restore(&tx->lock, enabled);
    if (notify)
        event_notify(q->tx_port);
    if (rc == -XEN_EPROTO) {
        netfront_found_fault(q);
        rc = -XEN_ENOTCONN;
    }
    return rc;
}

static void netfront_flush(struct netdev *dev, unsigned int queue)
{
    struct netfront_queue *q = queue_of(dev, queue);
    bool enabled = spin_lock_save(&q->tx.lock);
    bool notify = q->tx.open && q->tx.shown != q->tx.prod && show(&q->tx);

    spin_unlock_restore(&q->tx.lock, enabled);
    if (notify)
        event_notify(q->tx_port);
}

/* A request without data, and the address behind it. */
static void put_multicast(struct tx *tx, const uint8_t mac[6], bool join)
{
    struct netif_tx_request request = { .flags = NETTXF_extra_info };
    struct netif_extra_info extra = { .type = join ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD
                                                   : XEN_NETIF_EXTRA_TYPE_MCAST_DEL };

    take_slot(tx, &request.id);
    memcpy(request_at(tx, 0), &request, sizeof(request));
    memcpy(extra.u.mcast.addr, mac, sizeof(extra.u.mcast.addr));
    put_extra(tx, 1, &extra);
    tx->prod += 2;
}

static int netfront_multicast(struct netdev *dev, const uint8_t mac[6], bool join)
{
    struct netfront_queue *q = queue_of(dev, 0);
    bool enabled, notify;
    int rc;

    if (!dev->features.multicast_control)
        return -XEN_ENOSYS;
    enabled = spin_lock_save(&q->tx.lock);
    rc = make_room(&q->tx, 2, &notify);
    if (rc == 0) {
        put_multicast(&q->tx, mac, join);
        notify = show(&q->tx);
    }
    spin_unlock_restore(&q->tx.lock, enabled);
    if (notify)
        event_notify(q->tx_port);
    if (rc == -XEN_EPROTO) {
        netfront_found_fault(q);
        rc = -XEN_ENOTCONN;
    }
    return rc;
}

const struct netdev_ops netfront_ops = {
    .send = netfront_send,
    .flush = netfront_flush,
    .multicast = netfront_multicast,
};

/* --- the queue's thread, and the interface's --- */

int tx_poll(struct netfront_queue *q, unsigned int budget)
{
    struct tx *tx = &q->tx;
    bool room = false;
    int rc = 1;

    for (unsigned int taken = 0; rc == 1 && taken < budget; taken += REAP_MAX) {
        bool enabled = spin_lock_save(&tx->lock);

        rc = tx->fault.field ? -XEN_EPROTO : reap(tx, REAP_MAX);
        if (rc == 0 && want_event(tx))
            rc = 1;
        if (rc >= 0 && tx->starved && free_slots(tx) >= ROOM) {
            tx->starved = false;
            room = true;
        }
        spin_unlock_restore(&tx->lock, enabled);
    }
    if (room && q->nf->dev.tx_room)
        q->nf->dev.tx_room(&q->nf->dev, q->index);
    return rc;
}

int tx_open(struct netfront_queue *q)
{
    struct tx *tx = &q->tx;
    void *page;
    int rc = ring_open(q->nf->xenbus.backend_id, &page, &tx->sring_ref);

    if (rc)
        return rc;
    tx->sring = page;
    SHARED_RING_INIT(tx->sring);
    tx->prod = tx->shown = tx->cons = 0;
    tx->extras = 0;
    tx->fault.field = NULL;
    tx->free = 0;
    for (unsigned int i = 0; i < RING_SLOTS && rc == 0; i++) {
        tx->slots[i].next = i + 1;
        rc = grant_reserve(&tx->slots[i].ref);
    }
    return rc;
}

void tx_close(struct netfront_queue *q)
{
    struct tx *tx = &q->tx;

    for (unsigned int i = 0; i < RING_SLOTS; i++) {
        struct tx_slot *slot = &tx->slots[i];

        if (slot->ref && grant_end(slot->ref) == 0) {
            if (slot->buf)
                netbuf_put(slot->buf);
        } else if (slot->ref) {
            netfront_linger(slot->ref, slot->buf);
        }
        *slot = (struct tx_slot){ .ref = GRANT_NONE };
    }
    ring_close(tx->sring, &tx->sring_ref);
    tx->sring = NULL;
}
