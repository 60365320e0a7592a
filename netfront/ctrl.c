/* SPDX-License-Identifier: MIT
 *
 * The control ring: with several queues, the backend is told how to spread packets over them, so
 * that a connection stays with one vCPU: a Toeplitz hash of addresses and ports, and a table from
 * hash to queue. What the backend refuses or does not answer is done without.  Follows Xen
 * public/io/netif.h, control ring.
 */
#include <string.h>
#include "arch/cpu.h"
#include "events/events.h"
#include "grant/grant.h"
#include "kernel/time.h"
#include "lib/log.h"
#include "mm/page.h"
#include "netfront/internal.h"

#define ANSWER_NS  NS_PER_S
#define KEY_LEN    40 /* for the addresses and ports of IPv6 */
#define TABLE_SIZE 128
#define HASHES                                                                                     \
    (XEN_NETIF_CTRL_HASH_TYPE_IPV4 | XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP |                           \
     XEN_NETIF_CTRL_HASH_TYPE_IPV6 | XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)

static void ctrl_event(evtchn_port_t port, void *arg)
{
    struct ctrl *ctrl = arg;

    (void)port;
    signal_raise(&ctrl->answered);
}

int ctrl_open(struct netfront *nf)
{
    struct ctrl *ctrl = &nf->ctrl;
    void *page;
    int rc = ring_open(nf->xenbus.backend_id, &page, &ctrl->sring_ref);

    if (rc)
        return rc;
    ctrl->sring = page;
    SHARED_RING_INIT(ctrl->sring);
    ctrl->prod = 0;
    signal_init(&ctrl->answered);
    rc = event_alloc_unbound(nf->xenbus.backend_id, ctrl_event, ctrl, &ctrl->port);
    if (rc)
        ctrl->port = 0;
    return rc;
}

void ctrl_close(struct netfront *nf)
{
    struct ctrl *ctrl = &nf->ctrl;

    if (ctrl->port)
        event_unbind(ctrl->port);
    ctrl->port = 0;
    ring_close(ctrl->sring, &ctrl->sring_ref);
    ctrl->sring = NULL;
}

/* Wait for the one answer there can be. 0, -XEN_ETIMEDOUT, -XEN_EPROTO: said. */
static int await_answer(struct netfront *nf, struct xen_netif_ctrl_response *rsp)
{
    struct ctrl *ctrl = &nf->ctrl;
    uint64_t deadline_ns = time_after_ns(ANSWER_NS);
    RING_IDX prod;
    int rc = 0;

    /* Pairs with the backend's release. */
    while ((prod = load_acquire(&ctrl->sring->rsp_prod)) == ctrl->prod - 1 && rc == 0)
        rc = signal_wait(&ctrl->answered, deadline_ns);
    if (rc)
        return rc;
    if (prod != ctrl->prod) {
        log_error("%s: backend: ctrl rsp_prod is %u", nf->dev.name, prod);
        return -XEN_EPROTO;
    }
    memcpy(rsp, &ctrl->sring->ring[(prod - 1) % CTRL_SLOTS].rsp, sizeof(*rsp));
    compiler_barrier(); /* judged is the copy */
    return 0;
}

/* Ask and wait. 0; -XEN_EOPNOTSUPP: refused; others: no more asking. */
static int ask(struct netfront *nf, uint16_t type, uint32_t data0, uint32_t data1)
{
    struct ctrl *ctrl = &nf->ctrl;
    struct xen_netif_ctrl_request request = { .id = (uint16_t)ctrl->prod,
                                              .type = type,
                                              .data = { data0, data1, 0 } };
    struct xen_netif_ctrl_response rsp;
    int rc;

    memcpy(&ctrl->sring->ring[ctrl->prod % CTRL_SLOTS].req, &request, sizeof(request));
    ctrl->prod++;
    store_once(&ctrl->sring->rsp_event, ctrl->prod);
    if (ring_push(&ctrl->sring->req_prod, &ctrl->sring->req_event, ctrl->prod - 1, ctrl->prod))
        event_notify(ctrl->port);
    rc = await_answer(nf, &rsp);
    if (rc)
        return rc;
    if (rsp.id != request.id || rsp.type != type) {
        log_error("%s: backend: ctrl id is %u, type %u, not %u, %u", nf->dev.name, rsp.id, rsp.type,
                  request.id, type);
        return -XEN_EPROTO;
    }
    return rsp.status == XEN_NETIF_CTRL_STATUS_SUCCESS ? 0 : -XEN_EOPNOTSUPP;
}

/* A page lent for the time of one request. */
static int ask_with_page(struct netfront *nf, uint16_t type, void *page, uint32_t count)
{
    grant_ref_t ref;
    int rc = grant_access(nf->xenbus.backend_id, page, true, &ref);

    if (rc == 0) {
        rc = ask(nf, type, ref, count);
        grant_end_and_free(ref, page);
    } else {
        pages_free(page, 0);
    }
    return rc;
}

static int set_key(struct netfront *nf)
{
    uint64_t *page = page_alloc_zeroed();

    if (!page)
        return -XEN_ENOMEM;
    for (unsigned int i = 0; i < KEY_LEN / sizeof(*page); i++)
        page[i] = cpu_random();
    return ask_with_page(nf, XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, page, KEY_LEN);
}

static int set_table(struct netfront *nf)
{
    uint32_t *page = page_alloc_zeroed();

    if (!page)
        return -XEN_ENOMEM;
    for (unsigned int i = 0; i < TABLE_SIZE; i++)
        page[i] = i % nf->nr_queues;
    return ask_with_page(nf, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, page, TABLE_SIZE);
}

void ctrl_spread(struct netfront *nf)
{
    int rc;

    if (!nf->ctrl.port)
        return;
    nf->hash = true; /* first: extra_info may come from the moment it is asked for */
    rc = ask(nf, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ, 0);
    if (rc == 0)
        rc = set_key(nf);
    if (rc == 0)
        rc = ask(nf, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, TABLE_SIZE, 0);
    if (rc == 0)
        rc = set_table(nf);
    if (rc == 0)
        rc = ask(nf, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, HASHES, 0);
    if (rc)
        log_warn("%s: the backend spreads packets as it likes: %s", nf->dev.name, error_name(rc));
}
