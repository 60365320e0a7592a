/* SPDX-License-Identifier: MIT
 *
 * The other end of a netfront queue, in the test's thread: reads requests as netback does, answers
 * as the test wants, also with lies.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/io/netif.h>
#include "net/netdev.h"
#include "tests/host/fake_xen.h"

#define NETBACK_DOMID 0

struct fake_netback {
    struct netif_tx_sring *tx; /* mapped */
    struct netif_rx_sring *rx;
    RING_IDX tx_cons, rx_cons; /* requests taken */
    RING_IDX tx_prod, rx_prod; /* responses written */
};

/* Map the rings that were granted as these. */
void netback_attach(struct fake_netback *back, grant_ref_t tx_ref, grant_ref_t rx_ref);
void netback_detach(struct fake_netback *back, grant_ref_t tx_ref, grant_ref_t rx_ref);

/* The next request for a page to receive into; false: there is none. */
bool netback_rx_request(struct fake_netback *back, struct netif_rx_request *request);
/* A granted page as another domain sees it; NULL when the grant does not allow that. */
uint8_t *netback_page(grant_ref_t ref, bool readonly);
/* Answers, shown at once. */
void netback_rx_answer(struct fake_netback *back, const struct netif_rx_response *response);
void netback_rx_extra(struct fake_netback *back, const struct netif_extra_info *extra);
/* Write `len` bytes of `byte` into the next page asked for and answer with `flags`. The page's
 * request is returned. */
struct netif_rx_request netback_deliver(struct fake_netback *back, unsigned int len, uint8_t byte,
                                        uint16_t flags);
/* The next request to send; false: there is none. */
bool netback_tx_request(struct fake_netback *back, struct netif_tx_request *request);
void netback_tx_answer(struct fake_netback *back, uint16_t id, int16_t status);
/* Take all requests to send and answer each as netback does, with NULL for extra_info. How many
 * packets they were. */
unsigned int netback_tx_all(struct fake_netback *back);
