/* SPDX-License-Identifier: MIT
 *
 * What the xenstore client's files share: the connection, requests in flight, the byte ring.
 * Private to xenbus/.
 */
#pragma once
#include "kernel/wait.h"
#include "xenbus/xenstore.h"

/* Requests in flight or given up on but not answered yet. xenstored's own limit is 20. */
#define STORE_SLOTS       16
#define STORE_SMALL_REPLY 96 /* replies up to this length need no memory */

struct store_piece {
    const void *data;
    size_t len;
};

/* One answer, and the thread that waits for it. */
struct store_reply {
    struct signal arrived; /* look again: one of the flags below changed */
    char *data;            /* NUL-terminated; `small` or kmem_alloc() memory: store_reply_free() */
    uint32_t len;
    /* held: store.room.lock */
    int rc;
    bool done;
    bool wants_memory; /* `len` is known, `data` is to be had before the payload can be read */
    char small[STORE_SMALL_REPLY + 1];
};

struct store_slot {
    bool busy;
    uint32_t req_id; /* slot + STORE_SLOTS * generation: a late reply never fits a new request */
    uint32_t type;
    struct store_reply *reply; /* NULL: nobody waits any more, the reply is thrown away */
};

struct store {
    /* Threads that wait for a slot, the outbox or the daemon; its lock is the client's. */
    struct waitq room;
    /* held: room.lock */
    struct xenstore_domain_interface *ring;
    evtchn_port_t port;
    bool open;
    bool tolerant;               /* an earlier kernel used the ring: replies to it may still come */
    uint32_t req_prod, rsp_cons; /* ours; the ring's copies are written, never read back */
    uint32_t rsp_told;           /* rsp_cons when the daemon was last told */
    struct store_slot slots[STORE_SLOTS];
    uint32_t generation;
    /* The message being sent, as far as the ring had no room for it. */
    size_t out_len, out_sent;
    /* The message being received. */
    struct xsd_sockmsg in;
    size_t in_header, in_payload; /* bytes of each so far */
    struct store_slot *in_slot;   /* NULL: a watch event, or nobody's */
    char *in_data;                /* where the payload goes; NULL: away */
    char *out;                    /* a header and XENSTORE_PAYLOAD_MAX */
    char *event;                  /* XENSTORE_PAYLOAD_MAX */
};

extern struct store store;

/* The pieces of a request, as store_call()'s last two arguments. */
#define STORE_PIECES(...)                                                                          \
    (const struct store_piece[]){ __VA_ARGS__ },                                                   \
        sizeof((const struct store_piece[]){ __VA_ARGS__ }) / sizeof(struct store_piece)

/* ring.c; held: store.room.lock. */
/* Take over the indices that are in the page. */
void store_ring_attach(void);
/* Throw away what an earlier kernel did not read. */
void store_ring_skip(void);
/* Move up to `len` bytes out of the ring (`data` NULL: throw them away). Looks at the daemon's
 * index once per call. How many, or -XEN_EPROTO when the index is nonsense (the connection is
 * closed then). */
long store_ring_get(void *data, size_t len);
long store_ring_put(const void *data, size_t len);
/* Tell the daemon that bytes were written, or that it has room again. */
void store_ring_notify(void);
/* After reading: tell the daemon if it may have been waiting for room. */
void store_ring_read_done(void);

/* client.c */
/* Ask and wait for the answer. `reply` need not be initialised; 0: its data are valid until
 * store_reply_free(); otherwise there is nothing to free. Thread context. */
int store_call(struct store_reply *reply, uint32_t type, xenstore_tx_t tx,
               const struct store_piece *pieces, unsigned int count);
void store_reply_free(struct store_reply *reply);
/* The reply's memory becomes the caller's: kmem_free() it. NULL when memory is out. */
char *store_reply_keep(struct store_reply *reply);
/* End the connection because `field` was `value`. */
void store_close(const char *field, uint32_t value);
/* As above, with the lock held. */
void store_close_locked(const char *field, uint32_t value);

/* store.c: digits only. -XEN_EINVAL when there is something else, or more than `max`. */
int store_parse_unsigned(const char *text, size_t len, uint64_t max, uint64_t *value);

/* directory.c: a directory too big for one message. As xenstore_directory(). */
int store_directory_parts(xenstore_tx_t tx, const char *path, char **names, unsigned int *count);

/* Entries in one SET_PERMS; xenstored's own limit is 5. */
#define STORE_PERMS_MAX 16

/* watch.c; held: store.room.lock. `payload` is a watch event's, NUL not guaranteed. */
void store_watch_event(const char *payload, size_t len);
