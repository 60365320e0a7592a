/* SPDX-License-Identifier: MIT
 *
 * Sending, the request's half: packets of whoever took the device become requests.  The backend may
 * read a fragment's page from the request to the response (tx.c), by a grant that each slot owns.
 * Follows Xen public/io/netif.h.
 */
#include <string.h>
#include "events/events.h"
#include "grant/grant.h"
#include "netfront/internal.h"

/* All functions below down to make_room(): held: tx->lock. */

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
    if (tx_free_slots(tx) >= slots)
        return 0;
    *notify = show(tx); /* what is not shown is never answered */
    while (rc >= 0 && tx_free_slots(tx) < slots) {
        rc = tx_reap(tx);
        if (rc == 0 && tx_free_slots(tx) < slots) {
            tx->starved = true; /* first: it makes the event come sooner */
            if (!tx_want_event(tx))
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

/* Lets go of the lock; a fault that was found is told. What the stack is to get for `rc`. */
static int finish(struct netfront_queue *q, bool enabled, bool notify, int rc)
{
    spin_unlock_restore(&q->tx.lock, enabled);
    if (notify)
        event_notify(q->tx_port);
    if (rc != -XEN_EPROTO)
        return rc;
    netfront_found_fault(q);
    return -XEN_ENOTCONN;
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
    return finish(q, enabled, notify, rc);
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
        notify |= show(&q->tx); /* make_room() may owe an event, too */
    }
    return finish(q, enabled, notify, rc);
}

const struct netdev_ops netfront_ops = {
    .send = netfront_send,
    .flush = netfront_flush,
    .multicast = netfront_multicast,
};
