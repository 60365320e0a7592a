/* SPDX-License-Identifier: MIT
 *
 * See fake_netback.h.
 */
#include "tests/host/fake_netback.h"
#include "lib/atomic.h"
#include "tests/host/test.h"

#define SLOT(i) ((i)&255)

void netback_attach(struct fake_netback *back, grant_ref_t tx_ref, grant_ref_t rx_ref)
{
    *back = (struct fake_netback){ .tx = fake_grant_remote_map(NETBACK_DOMID, tx_ref, false),
                                   .rx = fake_grant_remote_map(NETBACK_DOMID, rx_ref, false) };
    CHECK(back->tx && back->rx);
}

void netback_detach(struct fake_netback *back, grant_ref_t tx_ref, grant_ref_t rx_ref)
{
    fake_grant_remote_unmap(tx_ref);
    fake_grant_remote_unmap(rx_ref);
    back->tx = NULL;
    back->rx = NULL;
}

bool netback_rx_request(struct fake_netback *back, struct netif_rx_request *request)
{
    if (back->rx_cons == load_acquire(&back->rx->req_prod))
        return false;
    *request = back->rx->ring[SLOT(back->rx_cons++)].req;
    return true;
}

uint8_t *netback_page(grant_ref_t ref, bool readonly)
{
    uint8_t *page = fake_grant_remote_map(NETBACK_DOMID, ref, readonly);

    if (page)
        fake_grant_remote_unmap(ref); /* a copy takes no longer than the test does */
    return page;
}

void netback_rx_answer(struct fake_netback *back, const struct netif_rx_response *response)
{
    back->rx->ring[SLOT(back->rx_prod++)].rsp = *response;
    store_release(&back->rx->rsp_prod, back->rx_prod);
}

void netback_rx_extra(struct fake_netback *back, const struct netif_extra_info *extra)
{
    struct netif_rx_request request;

    CHECK(netback_rx_request(back, &request));
    memcpy(&back->rx->ring[SLOT(back->rx_prod++)], extra, sizeof(*extra));
    store_release(&back->rx->rsp_prod, back->rx_prod);
}

struct netif_rx_request netback_deliver(struct fake_netback *back, unsigned int len, uint8_t byte,
                                        uint16_t flags)
{
    struct netif_rx_request request = { .gref = 0 };
    uint8_t *page;

    CHECK(netback_rx_request(back, &request));
    page = netback_page(request.gref, false);
    CHECK(page != NULL);
    if (page)
        memset(page, byte, len);
    netback_rx_answer(back, &(struct netif_rx_response){
                                .id = request.id, .flags = flags, .status = (int16_t)len });
    return request;
}

bool netback_tx_request(struct fake_netback *back, struct netif_tx_request *request)
{
    if (back->tx_cons == load_acquire(&back->tx->req_prod))
        return false;
    *request = back->tx->ring[SLOT(back->tx_cons++)].req;
    return true;
}

void netback_tx_answer(struct fake_netback *back, uint16_t id, int16_t status)
{
    back->tx->ring[SLOT(back->tx_prod++)].rsp =
        (struct netif_tx_response){ .id = id, .status = status };
    store_release(&back->tx->rsp_prod, back->tx_prod);
}

unsigned int netback_tx_all(struct fake_netback *back)
{
    struct netif_tx_request request, extra;
    unsigned int packets = 0;

    while (netback_tx_request(back, &request)) {
        netback_tx_answer(back, request.id, NETIF_RSP_OKAY);
        if (request.flags & NETTXF_extra_info) {
            CHECK(netback_tx_request(back, &extra));
            netback_tx_answer(back, 0xdead, NETIF_RSP_NULL);
        }
        packets += !(request.flags & NETTXF_more_data);
    }
    return packets;
}
