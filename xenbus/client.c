/* SPDX-License-Identifier: MIT
 *
 * Requests and replies of the xenstore connection: many threads ask at once, each is woken by its
 * own reply.  The event handler moves bytes and matches replies, which costs a thread switch less
 * than a reader thread would; it never allocates, so a long reply waits in the ring until its asker
 * brings memory.  A request given up on keeps its slot until the late reply came, and a slot's next
 * request has another id.  Follows Xen docs/misc/xenstore.txt and public/io/xs_wire.h.
 */
#include <string.h>
#include "events/events.h"
#include "kernel/time.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/internal.h"

static char outbox[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX], event[XENSTORE_PAYLOAD_MAX];
struct store store = { .room = WAITQ_INIT_RANK(store.room, LOCK_STORE),
                       .out = outbox,
                       .event = event };

static void wake_room(void)
{
    while (waitq_wake_one_locked(&store.room))
        ;
}

static void finish(struct store_slot *slot, int rc)
{
    struct store_reply *reply = slot->reply;

    slot->busy = false;
    slot->reply = NULL;
    if (reply) {
        reply->rc = rc;
        reply->done = true;
        reply->wants_memory = false;
        signal_raise(&reply->arrived);
    }
}

void store_close_locked(const char *field, uint32_t value)
{
    if (!store.open)
        return;
    store.open = false;
    log_error("xenstore: connection closed: xenstored sent %s %u (0x%x)", field, value, value);
    for (unsigned int i = 0; i < STORE_SLOTS; i++) {
        if (store.slots[i].busy)
            finish(&store.slots[i], &store.slots[i] == store.in_slot ? -XEN_EPROTO : -XEN_EIO);
    }
    store.in_slot = NULL;
    store.in_data = NULL;
    wake_room();
}

void store_close(const char *field, uint32_t value)
{
    bool enabled = waitq_lock(&store.room);

    store_close_locked(field, value);
    waitq_unlock(&store.room, enabled);
}

/* Send what is left of the outbox. */
static void push(void)
{
    long sent = store_ring_put(store.out + store.out_sent, store.out_len - store.out_sent);

    if (sent <= 0)
        return;
    store.out_sent += sent;
    store_ring_notify();
    if (store.out_sent == store.out_len) {
        store.out_len = store.out_sent = 0;
        wake_room();
    }
}

/* The header of a message is complete: judge it, and say where its payload goes. */
static int begin_message(void)
{
    struct store_slot *slot = &store.slots[store.in.req_id % STORE_SLOTS];
    struct store_reply *reply;

    store.in_slot = NULL;
    store.in_data = NULL;
    store.in_payload = 0;
    if (store.in.len > XENSTORE_PAYLOAD_MAX) {
        store_close_locked("len", store.in.len);
        return -XEN_EPROTO;
    }
    if (store.in.type == XS_WATCH_EVENT) {
        store.in_data = store.event;
        return 0;
    }
    if (!slot->busy || slot->req_id != store.in.req_id) {
        if (store.tolerant)
            return 0;
        store_close_locked("unknown req_id", store.in.req_id);
        return -XEN_EPROTO;
    }
    store.in_slot = slot;
    if (store.in.type != slot->type && store.in.type != XS_ERROR) {
        store_close_locked("type", store.in.type);
        return -XEN_EPROTO;
    }
    reply = slot->reply;
    if (!reply)
        return 0;
    reply->len = store.in.len;
    if (reply->len <= STORE_SMALL_REPLY) {
        store.in_data = reply->data = reply->small;
    } else {
        reply->wants_memory = true;
        signal_raise(&reply->arrived);
    }
    return 0;
}

static int error_of(const char *name, size_t len)
{
    for (int error = 1; error < 134; error++) {
        const char *known = error_name(error);

        if (strlen(known) == len && memcmp(known, name, len) == 0)
            return -error;
    }
    log_warn("xenstore: unknown error '%.*s'", (int)MIN(len, 40), name);
    return -XEN_EINVAL;
}

static void end_message(void)
{
    struct store_slot *slot = store.in_slot;
    int rc = 0;

    store.in_slot = NULL;
    if (store.in.type == XS_WATCH_EVENT) {
        store_watch_event(store.event, store.in.len);
    } else if (slot) {
        if (store.in_data) {
            store.in_data[store.in.len] = 0;
            if (store.in.type == XS_ERROR)
                rc = error_of(store.in_data, strlen(store.in_data));
        }
        finish(slot, rc);
        wake_room(); /* a slot is free */
    }
}

static bool memory_wanted(void)
{
    return store.in_slot && store.in_slot->reply && store.in_slot->reply->wants_memory;
}

/* Take messages off the ring; at most one ring's worth: more raises another event. */
static void receive(void)
{
    size_t budget = XENSTORE_RING_SIZE;
    long got;

    while (store.open && !memory_wanted()) {
        bool header = store.in_header < sizeof(store.in);

        if (header) {
            got = store_ring_get((char *)&store.in + store.in_header,
                                 MIN(sizeof(store.in) - store.in_header, budget));
        } else {
            got = store_ring_get(store.in_data ? store.in_data + store.in_payload : NULL,
                                 MIN(store.in.len - store.in_payload, budget));
        }
        if (got < 0)
            return;
        budget -= got;
        if (header) {
            store.in_header += got;
            if (store.in_header < sizeof(store.in) || begin_message())
                break;
        } else {
            store.in_payload += got;
            if (store.in_payload < store.in.len)
                break;
            store.in_header = 0;
            end_message();
        }
    }
    if (store.open)
        store_ring_read_done();
}

static void store_event(evtchn_port_t port, void *arg)
{
    bool enabled = waitq_lock(&store.room);

    (void)port;
    (void)arg;
    if (store.open) {
        push();
        receive();
    } else {
        wake_room(); /* xenstore_init() waits for the daemon */
    }
    waitq_unlock(&store.room, enabled);
}

/* held: store.room.lock. The asker goes away: whatever comes for it is thrown away. */
static void give_up(struct store_slot *slot)
{
    slot->reply = NULL;
    if (store.in_slot == slot)
        store.in_data = NULL;
    receive(); /* may have stood still for want of memory */
}

/* Called and left with store.room.lock held. */
static int await_reply(struct store_slot *slot, struct store_reply *reply, uint64_t deadline_ns,
                       bool *enabled)
{
    while (!reply->done) {
        int rc = 0;

        waitq_unlock(&store.room, *enabled);
        if (reply->wants_memory) {
            reply->data = kmem_alloc(reply->len + 1UL);
            if (!reply->data)
                rc = -XEN_ENOMEM;
        } else {
            rc = signal_wait(&reply->arrived, deadline_ns);
        }
        *enabled = waitq_lock(&store.room);
        if (reply->done)
            break;
        if (rc) {
            give_up(slot);
            return rc;
        }
        if (reply->wants_memory && reply->data) {
            reply->wants_memory = false;
            store.in_data = reply->data;
            receive();
        }
    }
    return reply->rc;
}

/* A free slot while the outbox is empty; NULL. held: store.room.lock. */
static struct store_slot *take_slot(uint32_t type, struct store_reply *reply)
{
    if (store.out_len)
        return NULL;
    for (unsigned int i = 0; i < STORE_SLOTS; i++) {
        struct store_slot *slot = &store.slots[i];

        if (!slot->busy) {
            slot->busy = true;
            slot->type = type;
            slot->reply = reply;
            slot->req_id = i + STORE_SLOTS * ++store.generation;
            return slot;
        }
    }
    return NULL;
}

/* held: store.room.lock; the outbox is empty. */
static void send_message(const struct store_slot *slot, xenstore_tx_t tx, size_t len,
                         const struct store_piece *pieces, unsigned int count)
{
    struct xsd_sockmsg header = {
        .type = slot->type, .req_id = slot->req_id, .tx_id = tx, .len = len
    };

    memcpy(store.out, &header, sizeof(header));
    store.out_len = sizeof(header);
    for (unsigned int i = 0; i < count; i++) {
        memcpy(store.out + store.out_len, pieces[i].data, pieces[i].len);
        store.out_len += pieces[i].len;
    }
    push();
}

int store_call(struct store_reply *reply, uint32_t type, xenstore_tx_t tx,
               const struct store_piece *pieces, unsigned int count)
{
    uint64_t deadline_ns = time_after_ns(XENSTORE_TIMEOUT_NS);
    struct store_slot *slot = NULL;
    size_t len = 0;
    bool enabled;
    int rc = 0;

    for (unsigned int i = 0; i < count; i++) {
        /* The first piece is a path, or shorter than any path. */
        if (pieces[i].len > XENSTORE_PAYLOAD_MAX - len || pieces[0].len > XENSTORE_ABS_PATH_MAX + 1)
            return -XEN_E2BIG;
        len += pieces[i].len;
    }
    signal_init(&reply->arrived);
    reply->data = NULL;
    reply->len = 0;
    reply->rc = 0;
    reply->done = reply->wants_memory = false;

    enabled = waitq_lock(&store.room);
    while (store.open && !(slot = take_slot(type, reply)) && rc == 0)
        rc = waitq_sleep(&store.room, deadline_ns);
    if (!store.open)
        rc = -XEN_EIO;
    if (slot) {
        send_message(slot, tx, len, pieces, count);
        rc = await_reply(slot, reply, deadline_ns, &enabled);
    }
    waitq_unlock(&store.room, enabled);
    if (rc)
        store_reply_free(reply);
    return rc;
}

void store_reply_free(struct store_reply *reply)
{
    if (reply->data != reply->small)
        kmem_free(reply->data);
    reply->data = NULL;
}

char *store_reply_keep(struct store_reply *reply)
{
    char *kept = reply->data;

    if (kept == reply->small) {
        kept = kmem_alloc(reply->len + 1UL);
        if (kept)
            memcpy(kept, reply->small, reply->len + 1UL);
    }
    reply->data = NULL;
    return kept;
}

/* held: store.room.lock. An earlier kernel used this ring: ask for a fresh connection if the daemon
 * knows how. True: nothing of the old one is left. */
static bool reconnect(void)
{
    struct xenstore_domain_interface *ring = store.ring;
    uint64_t deadline_ns = time_after_ns(XENSTORE_TIMEOUT_NS);
    int rc = 0;

    if (!(load_once(&ring->server_features) & XENSTORE_SERVER_FEATURE_RECONNECTION))
        return false;
    store_release(&ring->connection, XENSTORE_RECONNECT);
    store_ring_notify();
    while (load_acquire(&ring->connection) != XENSTORE_CONNECTED && rc == 0)
        rc = waitq_sleep(&store.room, deadline_ns);
    return rc == 0;
}

/* Watches an earlier kernel left would go on firing, with tokens that may be ours. */
static int reset_watches(void)
{
    struct store_reply reply;
    uint64_t supported;
    int rc;

    if (xenstore_read_unsigned(XBT_NIL, "control/platform-feature-xs_reset_watches", 1, &supported))
        return 0;
    rc = supported ? store_call(&reply, XS_RESET_WATCHES, XBT_NIL, STORE_PIECES({ "", 1 })) : 0;
    if (supported && rc == 0)
        store_reply_free(&reply);
    return rc;
}

int xenstore_init(struct xenstore_domain_interface *ring, evtchn_port_t port)
{
    bool used, enabled;
    int rc;

    store.ring = ring;
    store.port = port;
    rc = event_bind(port, store_event, NULL);
    if (rc)
        return rc;
    enabled = waitq_lock(&store.room);
    /* A fresh domain's ring was never used, so no watch can be left: nothing to ask. */
    used = load_once(&ring->req_prod) || load_once(&ring->rsp_prod);
    if (used && reconnect())
        used = false;
    store_ring_attach();
    if (used)
        store_ring_skip();
    store.tolerant = used;
    store.open = true;
    waitq_unlock(&store.room, enabled);
    return used ? reset_watches() : 0;
}
