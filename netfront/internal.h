/* SPDX-License-Identifier: MIT
 *
 * What netfront's files share: an interface and its queues.  Private to netfront/.
 *
 * An interface's thread follows the backend's state; each queue's thread, bound to a vCPU, does the
 * work of its rings.  Sending is done by whoever has something to send, under the queue's lock.
 */
#pragma once
#include "kernel/thread.h"
#include "kernel/wait.h"
#include "lib/spinlock.h"
#include "net/netdev.h"
#include "netfront/netfront.h"
#include "xenbus/xenbus.h"
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#define RING_SLOTS 256 /* of each ring; Xen's macros say the same of one page */
#define SLOT_OF(i) ((i) & (RING_SLOTS - 1))
#define TX_BUSY    UINT16_MAX

/* What the backend did that it must not; noted where it is found, said by the interface's thread.
 */
struct netfront_fault {
    const char *field; /* NULL: nothing */
    uint64_t value;
};

/* A page the backend may read until it has answered. */
struct tx_slot {
    struct netbuf *buf; /* NULL: a request without data */
    grant_ref_t ref;    /* this slot's for the whole connection */
    uint16_t next;      /* free slot, or TX_BUSY: asked and not answered */
};

struct tx {
    spinlock_t lock;
    /* held: lock */
    bool open;                    /* packets are taken */
    bool starved;                 /* who was refused wants to be called */
    struct netif_tx_sring *sring; /* shared */
    RING_IDX prod;                /* requests written */
    RING_IDX shown;               /* of these, shown to the backend */
    RING_IDX cons;                /* responses taken */
    unsigned int extras;          /* extra requests not answered yet */
    uint16_t free;                /* list of slots */
    uint64_t packets, dropped;    /* by the backend, of these */
    struct netfront_fault fault;
    grant_ref_t sring_ref;
    struct tx_slot slots[RING_SLOTS];
};

/* The queue's thread's own while it runs. */
struct rx {
    struct netif_rx_sring *sring; /* shared */
    RING_IDX prod, cons;
    unsigned int target, target_max; /* pages that are to lie in the ring */
    bool extra_follows;              /* the next response is an extra_info */
    bool drop;                       /* the packet being put together is no good */
    bool in_packet;                  /* its last response said there is more */
    struct netdev_packet packet;
    uint64_t packets, dropped;
    struct netfront_fault fault;
    grant_ref_t sring_ref;
    struct netbuf *bufs[RING_SLOTS]; /* by ring index: the backend answers in order */
    grant_ref_t refs[RING_SLOTS];
};

/* Lives as long as its interface; rings, ports and thread as long as a connection. */
struct netfront_queue {
    struct netfront *nf;
    unsigned int index;
    unsigned int vcpu; /* where its thread and its ports are at home */
    bool stop;
    struct thread *thread;
    struct signal work;             /* the backend did something, or `stop` */
    evtchn_port_t tx_port, rx_port; /* the same one unless split; 0: none */
    struct tx tx;
    struct rx rx;
};

#define CTRL_SLOTS __CONST_RING_SIZE(xen_netif_ctrl, PAGE_SIZE)

/* The control ring; its only user is the interface's thread, one request at a time. */
struct ctrl {
    struct xen_netif_ctrl_sring *sring; /* shared */
    RING_IDX prod;                      /* requests written; all but the last are answered */
    evtchn_port_t port;                 /* 0: there is no such ring */
    grant_ref_t sring_ref;
    struct signal answered;
};

struct netfront {
    struct netdev dev;
    unsigned int id; /* of device/vif/ID */
    struct xenbus_device xenbus;
    struct signal look; /* something changed: backend, directory, or a fault */
    bool look_again;    /* held: the list's lock: the directory changed since the thread looked */
    struct list link;   /* held: the list's lock */
    bool connected;     /* keys are published, queues run */
    bool up;            /* the backend has said Connected since */
    bool broken;        /* the backend broke the rules: not before it restarts */
    bool left_alone;    /* since then it has shown another state than InitWait */
    unsigned int nr_queues;       /* of this connection, as the rest of the line: */
    bool split, gso4, gso6, hash; /* ports apart; what we take; extra_info with hashes may come */
    struct ctrl ctrl;
    unsigned int published;                   /* queues whose keys are in xenstore; 0: none */
    bool published_split, published_ctrl;     /* and in what form */
    uint64_t up_since_ns, pause_ns, retry_ns; /* not again before */
    uint64_t complain_ns;                     /* if the link is not up by then */
    bool carrier, carrier_changed;            /* the link behind the backend; look at it */
    struct xenstore_watch carrier_watch;
    char carrier_path[112];
    struct netfront_fault fault;              /* held: look.q.lock */
    struct netfront_queue *queues[MAX_VCPUS]; /* made when first needed */
};

/* If another domain is the backend of another interface, neither sees the other's packets. */
void netfront_keep_apart(const struct netfront *nf);
/* Another driver uses this address. */
bool netfront_is_others(const uint8_t mac[6]);
bool netfront_wants(enum netfront_feature feature);
/* "vif0: backend: FIELD is VALUE": what a queue noted is said, the interface closes. Thread
 * context, without locks. */
void netfront_found_fault(struct netfront_queue *q);

/* life.c: the thread of an interface, from its appearance in xenstore until it is gone. */
void netfront_live(struct netfront *nf);

/* connect.c, interface's thread */
/* What the backend offers into dev.features, queues, keys, state Connected. 0 or why not, said. */
int netfront_connect(struct netfront *nf);
/* publish.c: the keys of this connection, in place of an earlier one's. 0 or -errno. */
int netfront_publish(struct netfront *nf);

/* Threads for the queues: from now on packets come up. 0 or -XEN_ENOMEM. */
int netfront_start_queues(struct netfront *nf);
/* Take everything back, with the queues stopped; the backend has closed or has had its time. */
void netfront_disconnect(struct netfront *nf);

/* queue.c, interface's thread */
/* Rings, ports. 0 or -errno; on an error what there is remains, for queue_close(). */
int queue_open(struct netfront_queue *q);
int queue_start(struct netfront_queue *q, unsigned int vcpu);
/* No thread, no port; nothing is sent or received any more. */
void queue_stop(struct netfront_queue *q);
/* Everything taken back from the backend. */
void queue_close(struct netfront_queue *q);
/* A ring's page, shared. */
int ring_open(domid_t domid, void **page, grant_ref_t *ref);
void ring_close(void *page, grant_ref_t *ref);

/* send.c */
extern const struct netdev_ops netfront_ops;

/* tx.c; held: tx->lock */
static inline unsigned int tx_free_slots(const struct tx *tx)
{
    return RING_SLOTS - (tx->prod - tx->cons);
}
/* Take some of what is answered. 0: nothing was left, 1: there is more, -XEN_EPROTO: fault noted.
 */
int tx_reap(struct tx *tx);
/* Want an event when half of what is asked is answered, but not for a few: those are taken when
 * something is sent or received. True if it is due already. */
bool tx_want_event(struct tx *tx);

/* tx.c */
int tx_open(struct netfront_queue *q);
void tx_close(struct netfront_queue *q);
/* Take what is answered, at most so many; tell who waits for room. 0: nothing was left, 1: there
 * may be more, -XEN_EPROTO: fault noted. The queue's thread. */
int tx_poll(struct netfront_queue *q, unsigned int budget);

/* carrier.c, interface's thread */
/* Connected: be told of the link, too. What fails is said. */
void carrier_watch(struct netfront *nf);
/* True: nf->carrier is another one now. */
bool carrier_look(struct netfront *nf);
void carrier_forget(struct netfront *nf);

/* ctrl.c, interface's thread */
int ctrl_open(struct netfront *nf);
/* Accepts one that is not open. */
void ctrl_close(struct netfront *nf);
/* Connected: say how packets are to be spread over the queues, if there is a control ring. Waits a
 * bounded time; what fails is said. */
void ctrl_spread(struct netfront *nf);

/* rx.c; the queue's thread, or before it starts and after it ended */
int rx_open(struct netfront_queue *q);
void rx_close(struct netfront_queue *q);
/* The same for received packets: they are handed up, and the ring is filled again. */
int rx_poll(struct netfront_queue *q, unsigned int budget);
/* Some pages are missing: memory was out. */
static inline bool rx_is_short(const struct rx *rx)
{
    return rx->prod - rx->cons < rx->target;
}

/* Show requests up to `prod`; true if the backend wants to be told. `shown`: up to where it was
 * shown before. RING_PUSH_REQUESTS_AND_CHECK_NOTIFY, but nothing of ours is read back. */
static inline bool ring_push(RING_IDX *req_prod, const RING_IDX *req_event, RING_IDX shown,
                             RING_IDX prod)
{
    store_release(req_prod, prod); /* pairs with the backend's read, before it reads requests */
    memory_barrier();              /* the backend sets req_event, then looks at req_prod again */
    return prod - load_once(req_event) < prod - shown;
}

/* lingering.c */
/* A page whose grant `ref` can't be ended yet: kept until it can, whoever else uses it. */
void netfront_linger(grant_ref_t ref, struct netbuf *buf);
/* Look at them again. How many there are still. */
unsigned int netfront_lingering(void);
