/* SPDX-License-Identifier: MIT
 *
 * Connecting: what the backend offers and we want is agreed on, queues are made, and what the
 * backend needs is published.  Follows Xen public/io/netif.h.
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
    netfront_keep_apart(nf);
    rc = open_queues(nf);
    if (rc == 0) {
        open_ctrl(nf);
        rc = netfront_publish(nf);
    }
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
