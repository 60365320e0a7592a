/* SPDX-License-Identifier: MIT
 *
 * Connecting: what the backend offers and we want is agreed on, queues are made, their rings and
 * ports and what we can take are published.  Follows Xen public/io/netif.h; keys are named as
 * there.
 */
#include <string.h>
#include "grant/grant.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "netfront/internal.h"

#define MTU_DEFAULT 1500
#define MTU_MIN     68
#define MTU_MAX     (NETDEV_LEN_MAX - 18) /* a VLAN tag has room */
#define PARKED_MAX  1024 /* pages a backend may keep mapped before we give it no more */

/* Written: up to 4 keys of each queue, up to 16 of the interface. */
#define QUEUE_KEYS 4
#define OWN_KEYS   16
#define KEY_MAX    40

struct keys {
    struct xenbus_pair *pairs;
    char (*names)[KEY_MAX]; /* of the queues' keys */
    unsigned int count;
};

static bool offers(struct netfront *nf, const char *key)
{
    return xenbus_backend_number(&nf->xenbus, key, 1, 0);
}

static unsigned int read_mtu(struct netfront *nf)
{
    char path[80];
    uint64_t mtu;
    int rc;

    format_text(path, sizeof(path), "%s/mtu", nf->xenbus.path);
    rc = xenstore_read_unsigned(XBT_NIL, path, MTU_MAX, &mtu);
    if (rc == -XEN_ENOENT)
        return MTU_DEFAULT;
    if (rc || mtu < MTU_MIN) {
        log_warn("%s: %s is no MTU from %u to %lu; %u is used", nf->dev.name, path, MTU_MIN,
                 (unsigned long)MTU_MAX, MTU_DEFAULT);
        return MTU_DEFAULT;
    }
    return nf->dev.features.sg ? mtu : MIN(mtu, MTU_DEFAULT);
}

static unsigned int choose_queues(struct netfront *nf)
{
    unsigned int vcpus = vcpu_set_count(&vcpus_online), most;

    if (!netfront_wants(NETFRONT_MULTIQUEUE))
        return 1;
    most = xenbus_backend_number(&nf->xenbus, "multi-queue-max-queues", UINT32_MAX, 1);
    return MAX(MIN(vcpus, most), 1);
}

static int agree(struct netfront *nf)
{
    struct netdev_features *features = &nf->dev.features;
    bool gso = netfront_wants(NETFRONT_GSO) && netfront_wants(NETFRONT_SG) &&
               netfront_wants(NETFRONT_CSUM);
    bool csum = netfront_wants(NETFRONT_CSUM);

    if (!offers(nf, "feature-rx-copy")) {
        log_error("%s: %s/feature-rx-copy is not 1: this backend is not usable", nf->dev.name,
                  nf->xenbus.backend_path);
        return -XEN_EOPNOTSUPP;
    }
    /* What we send. */
    features->sg = netfront_wants(NETFRONT_SG) && offers(nf, "feature-sg");
    features->csum_ipv4 = csum && !offers(nf, "feature-no-csum-offload");
    features->csum_ipv6 = csum && offers(nf, "feature-ipv6-csum-offload");
    features->gso_tcpv4 = gso && features->sg && offers(nf, "feature-gso-tcpv4");
    features->gso_tcpv6 =
        gso && features->sg && features->csum_ipv6 && offers(nf, "feature-gso-tcpv6");
    features->multicast_control = netfront_wants(NETFRONT_MULTICAST) && nf->dev.filter_multicast &&
                                  offers(nf, "feature-multicast-control");
    features->mtu = read_mtu(nf);
    features->queues = choose_queues(nf);
    /* What we take, and how. */
    nf->gso4 = nf->gso6 = gso;
    nf->split = netfront_wants(NETFRONT_SPLIT) && offers(nf, "feature-split-event-channels");
    return 0;
}

/* --- keys --- */

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

static int publish(struct netfront *nf)
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

/* --- queues --- */

static int open_queue(struct netfront *nf, unsigned int index)
{
    struct netfront_queue *q = nf->queues[index];

    if (!q) {
        q = kmem_alloc(sizeof(*q));
        if (!q)
            return -XEN_ENOMEM;
        q->nf = nf;
        q->index = index;
        signal_init(&q->work);
        spin_lock_init(&q->tx.lock, LOCK_NET);
        nf->queues[index] = q;
    }
    return queue_open(q);
}

/* As many as were chosen, or as there is memory and room in the grant table for. */
static int open_queues(struct netfront *nf)
{
    unsigned int wanted = nf->dev.features.queues;

    for (nf->nr_queues = 0; nf->nr_queues < wanted; nf->nr_queues++) {
        int rc = open_queue(nf, nf->nr_queues);

        if (rc == 0)
            continue;
        if (nf->queues[nf->nr_queues]) {
            queue_stop(nf->queues[nf->nr_queues]);
            queue_close(nf->queues[nf->nr_queues]);
        }
        if (nf->nr_queues == 0)
            return rc;
        log_warn("%s: %u queues instead of %u: %s", nf->dev.name, nf->nr_queues, wanted,
                 error_name(rc));
        break;
    }
    nf->dev.features.queues = nf->nr_queues;
    return 0;
}

static void open_ctrl(struct netfront *nf)
{
    int rc;

    if (nf->nr_queues == 1 || !netfront_wants(NETFRONT_CTRL) || !offers(nf, "feature-ctrl-ring"))
        return;
    rc = ctrl_open(nf);
    if (rc) {
        log_warn("%s: no control ring: %s", nf->dev.name, error_name(rc));
        ctrl_close(nf);
    }
}

int netfront_start_queues(struct netfront *nf)
{
    unsigned int vcpu = vcpu_set_first(&vcpus_online);
    int rc = 0;

    for (unsigned int i = 0; i < nf->nr_queues && rc == 0; i++) {
        rc = queue_start(nf->queues[i], vcpu == VCPU_SET_NONE ? 0 : vcpu);
        vcpu = vcpu_set_next(&vcpus_online, vcpu + 1);
    }
    return rc;
}

int netfront_connect(struct netfront *nf)
{
    struct grant_stats stats;
    int rc = agree(nf);

    grant_get_stats(&stats);
    if (rc == 0 && stats.parked + netfront_lingering() > PARKED_MAX) {
        log_error("%s: backends still use %u pages of closed connections: no new one", nf->dev.name,
                  stats.parked);
        rc = -XEN_EBUSY;
    }
    if (rc)
        return rc;
    nf->connected = true;
    rc = open_queues(nf);
    if (rc == 0) {
        open_ctrl(nf);
        withdraw(nf);
    }
    if (rc == 0)
        rc = publish(nf);
    if (rc == 0)
        rc = xenbus_set_state(&nf->xenbus, XenbusStateConnected);
    return rc;
}

void netfront_disconnect(struct netfront *nf)
{
    for (unsigned int i = 0; i < nf->nr_queues; i++)
        queue_close(nf->queues[i]);
    ctrl_close(nf);
    nf->nr_queues = 0;
    nf->connected = nf->hash = false;
    netfront_lingering();
}
