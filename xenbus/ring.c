/* SPDX-License-Identifier: MIT
 *
 * The bytes between us and xenstored: two rings in one page, each a stream that may wrap anywhere
 * and arrive in pieces.  Knows nothing of messages.  Our own indices are kept outside the page; the
 * daemon's are read once and judged.  Follows Xen public/io/xs_wire.h and
 * docs/misc/xenstore-ring.txt.
 */
#include <string.h>
#include "hypercall/event_channel.h"
#include "lib/atomic.h"
#include "xenbus/internal.h"

void store_ring_attach(void)
{
    store.req_prod = load_once(&store.ring->req_prod);
    store.rsp_cons = store.rsp_told = load_once(&store.ring->rsp_cons);
}

void store_ring_skip(void)
{
    store.rsp_cons = load_acquire(&store.ring->rsp_prod);
    store_release(&store.ring->rsp_cons, store.rsp_cons);
}

void store_ring_notify(void)
{
    store.rsp_told = store.rsp_cons;
    hypercall_evtchn_send(store.port);
}

/* The daemon waits for room only after it saw the ring full, and it has seen at least what
 * `rsp_told` was. So with less than half a ring read since then it is not waiting, and need not be
 * woken. */
void store_ring_read_done(void)
{
    if (store.rsp_cons - store.rsp_told >= XENSTORE_RING_SIZE / 2)
        store_ring_notify();
}

long store_ring_get(void *data, size_t len)
{
    /* Pairs with xenstored's release after it wrote the bytes. */
    uint32_t prod = load_acquire(&store.ring->rsp_prod);
    uint32_t ready = prod - store.rsp_cons, at = MASK_XENSTORE_IDX(store.rsp_cons), first;

    if (ready > XENSTORE_RING_SIZE) {
        store_close_locked("rsp_prod", prod);
        return -XEN_EPROTO;
    }
    len = MIN(len, ready);
    if (!len)
        return 0;
    first = MIN(len, XENSTORE_RING_SIZE - at);
    if (data) {
        memcpy(data, store.ring->rsp + at, first);
        memcpy((char *)data + first, store.ring->rsp, len - first);
    }
    store.rsp_cons += len;
    store_release(&store.ring->rsp_cons, store.rsp_cons); /* pairs with its read of rsp_cons */
    return len;
}

long store_ring_put(const void *data, size_t len)
{
    /* Pairs with xenstored's release after it read the bytes. */
    uint32_t cons = load_acquire(&store.ring->req_cons);
    uint32_t used = store.req_prod - cons, at = MASK_XENSTORE_IDX(store.req_prod), first;

    if (used > XENSTORE_RING_SIZE) {
        store_close_locked("req_cons", cons);
        return -XEN_EPROTO;
    }
    len = MIN(len, XENSTORE_RING_SIZE - used);
    if (!len)
        return 0;
    first = MIN(len, XENSTORE_RING_SIZE - at);
    memcpy(store.ring->req + at, data, first);
    memcpy(store.ring->req, (const char *)data + first, len - first);
    store.req_prod += len;
    store_release(&store.ring->req_prod, store.req_prod); /* pairs with its read of req_prod */
    return len;
}
