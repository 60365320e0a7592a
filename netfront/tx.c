/* SPDX-License-Identifier: MIT
 *
 * Sending, the response's half: what the backend is done with is taken back before it is anybody
 * else's.  Responses are judged as copies: one for each request, of a slot that is busy, or the
 * interface closes.  Follows Xen public/io/netif.h.
 */
#include <string.h>
#include "grant/grant.h"
#include "netfront/internal.h"

#define REAP_MAX 32               /* responses taken in one go with upcalls masked */
#define LAZY     32               /* answers that may wait until something else happens */
#define ROOM     (RING_SLOTS / 4) /* free slots from which a refused sender is called */

/* All functions below down to tx_poll(): held: tx->lock. */

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

int tx_reap(struct tx *tx)
{
    unsigned int budget = REAP_MAX;
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

bool tx_want_event(struct tx *tx)
{
    RING_IDX half = (tx->shown - tx->cons) / 2 + 1;
    RING_IDX wanted = tx->cons + (tx->starved ? half : MAX(half, LAZY));

    store_once(&tx->sring->rsp_event, wanted);
    memory_barrier(); /* the backend sets rsp_prod, then looks at rsp_event */
    return (int32_t)(load_once(&tx->sring->rsp_prod) - wanted) >= 0;
}

/* --- the queue's thread, and the interface's --- */

int tx_poll(struct netfront_queue *q, unsigned int budget)
{
    struct tx *tx = &q->tx;
    bool room = false;
    int rc = 1;

    for (unsigned int taken = 0; rc == 1 && taken < budget; taken += REAP_MAX) {
        bool enabled = spin_lock_save(&tx->lock);

        rc = tx->fault.field ? -XEN_EPROTO : tx_reap(tx);
        if (rc == 0 && tx_want_event(tx))
            rc = 1;
        if (rc >= 0 && tx->starved && tx_free_slots(tx) >= ROOM) {
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
