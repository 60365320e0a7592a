/* SPDX-License-Identifier: MIT
 *
 * What the backend needs of us, in xenstore: rings, ports, and what we can take.  Follows Xen
 * public/io/netif.h; keys are named as there.
 */
#include "lib/log.h"
#include "mm/kmem.h"
#include "netfront/internal.h"

/* Written: up to 4 keys of each queue, up to 16 of the interface. */
#define QUEUE_KEYS 4
#define OWN_KEYS   16
#define KEY_MAX    40

struct keys {
    struct xenbus_pair *pairs;
    char (*names)[KEY_MAX]; /* of the queues' keys */
    unsigned int count;
};

static void add(struct keys *keys, const char *key, uint64_t value)
{
    keys->pairs[keys->count++] = (struct xenbus_pair){ key, value };
}

static void add_of_queue(struct keys *keys, const struct netfront_queue *q, const char *key,
                         uint64_t value)
{
    char *name = keys->names[keys->count];

    if (q->nf->dev.features.queues > 1)
        format_text(name, KEY_MAX, "queue-%u/%s", q->index, key);
    else
        format_text(name, KEY_MAX, "%s", key);
    add(keys, name, value);
}

static void add_queue(struct keys *keys, const struct netfront_queue *q)
{
    add_of_queue(keys, q, "tx-ring-ref", q->tx.sring_ref);
    add_of_queue(keys, q, "rx-ring-ref", q->rx.sring_ref);
    if (q->nf->split) {
        add_of_queue(keys, q, "event-channel-tx", q->tx_port);
        add_of_queue(keys, q, "event-channel-rx", q->rx_port);
    } else {
        add_of_queue(keys, q, "event-channel", q->tx_port);
    }
}

static void add_own(struct keys *keys, const struct netfront *nf)
{
    const struct netdev_features *features = &nf->dev.features;
    bool csum = netfront_wants(NETFRONT_CSUM);

    add(keys, "request-rx-copy", 1);
    add(keys, "feature-rx-notify", 1);
    add(keys, "feature-sg", netfront_wants(NETFRONT_SG));
    add(keys, "feature-gso-tcpv4", nf->gso4);
    add(keys, "feature-gso-tcpv6", nf->gso6);
    add(keys, "feature-no-csum-offload", !csum);
    add(keys, "feature-ipv6-csum-offload", csum);
    add(keys, "request-multicast-control", features->multicast_control);
    if (features->queues > 1)
        add(keys, "multi-queue-num-queues", features->queues);
    if (nf->ctrl.port) {
        add(keys, "ctrl-ring-ref", nf->ctrl.sring_ref);
        add(keys, "event-channel-ctrl", nf->ctrl.port);
    }
}

static int write_keys(struct netfront *nf)
{
    unsigned int queues = nf->dev.features.queues, most = queues * QUEUE_KEYS + OWN_KEYS;
    struct keys keys = { .pairs = kmem_alloc(most * sizeof(*keys.pairs)),
                         .names = kmem_alloc(most * KEY_MAX) };
    int rc = keys.pairs && keys.names ? 0 : -XEN_ENOMEM;

    if (rc == 0) {
        for (unsigned int i = 0; i < queues; i++)
            add_queue(&keys, nf->queues[i]);
        add_own(&keys, nf);
        rc = xenbus_publish(&nf->xenbus, keys.pairs); /* the list ends with zeroes */
    }
    kmem_free(keys.pairs);
    kmem_free(keys.names);
    if (rc == 0) {
        nf->published = queues;
        nf->published_split = nf->split;
        nf->published_ctrl = nf->ctrl.port;
    }
    return rc;
}

static void withdraw_key(struct netfront *nf, const char *key)
{
    char path[sizeof(nf->xenbus.path) + KEY_MAX];
    int rc;

    format_text(path, sizeof(path), "%s/%s", nf->xenbus.path, key);
    rc = xenstore_rm(XBT_NIL, path);
    if (rc && rc != -XEN_ENOENT)
        log_warn("%s: %s is not removed: %s", nf->dev.name, path, error_name(rc));
}

/* What was published before in another form, and would be taken for this connection's. */
static void withdraw(struct netfront *nf)
{
    static const char *const single[] = { "tx-ring-ref", "rx-ring-ref", "event-channel",
                                          "event-channel-tx", "event-channel-rx" };
    static const char *const shared[] = { "multi-queue-num-queues", "ctrl-ring-ref",
                                          "event-channel-ctrl" };

    if (!nf->published ||
        (nf->published == nf->dev.features.queues && nf->published_split == nf->split &&
         nf->published_ctrl == !!nf->ctrl.port))
        return;
    for (unsigned int i = 0; nf->published > 1 && i < nf->published; i++) {
        char key[KEY_MAX];

        format_text(key, sizeof(key), "queue-%u", i);
        withdraw_key(nf, key);
    }
    for (size_t i = 0; nf->published == 1 && i < ARRAY_SIZE(single); i++)
        withdraw_key(nf, single[i]);
    for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
        withdraw_key(nf, shared[i]);
    nf->published = 0;
}

int netfront_publish(struct netfront *nf)
{
    withdraw(nf);
    return write_keys(nf);
}
