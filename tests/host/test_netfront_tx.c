/* SPDX-License-Identifier: MIT
 *
 * The transmit ring with a backend that keeps the rules and one that breaks each of them (ABI: Xen
 * public/io/netif.h).
 */
#include "tests/host/netfront_queue.h"

static void expect_tx_fault(const char *field, uint64_t value)
{
    CHECK_EQ(tx_poll(q, 1000), -XEN_EPROTO);
    expect_fault(&q->tx.fault, field, value);
    CHECK(!q->tx.open);
    CHECK_EQ(tx_poll(q, 1000), -XEN_EPROTO); /* and stays so */
    close_queue();
}

/* `nfrags` pages with `len` bytes in each. */
static struct netdev_packet make_packet(unsigned int nfrags, unsigned int len)
{
    struct netdev_packet packet = { .nfrags = nfrags, .len = nfrags * len };

    for (unsigned int i = 0; i < nfrags; i++) {
        packet.frag[i] = (struct netdev_frag){ netbuf_alloc(), (uint16_t)(4096 - len), len };
        memset(bytes_of(&packet, i), (int)i + 1, len);
    }
    return packet;
}

static int send(struct netdev_packet *packet)
{
    int rc = nf.dev.ops->send(&nf.dev, 0, packet);

    if (rc)
        let_go(packet);
    return rc;
}

static void flush(void)
{
    nf.dev.ops->flush(&nf.dev, 0);
}

TEST(tx_packet_is_shown_at_flush)
{
    struct netdev_packet packet;
    struct netif_tx_request request;
    uint8_t *page;

    open_queue();
    packet = make_packet(1, 60);
    CHECK_EQ(send(&packet), 0);
    CHECK(!netback_tx_request(&back, &request));
    flush();
    CHECK(netback_tx_request(&back, &request));
    CHECK_EQ(request.size, 60);
    CHECK_EQ(request.offset, 4036);
    CHECK_EQ(request.flags, 0);
    CHECK(netback_page(request.gref, false) == NULL); /* read-only */
    page = netback_page(request.gref, true);
    CHECK_EQ(page[4036], 1);
    netback_tx_answer(&back, request.id, NETIF_RSP_OKAY);
    CHECK_EQ(tx_poll(q, 64), 0);
    CHECK(netback_page(request.gref, true) == NULL); /* over */
    close_queue();
}

TEST(tx_chain_with_gso)
{
    struct netdev_packet packet;
    struct netif_tx_request request;
    struct netif_extra_info extra;

    open_queue();
    packet = make_packet(15, 4096);
    packet.csum_blank = true;
    packet.gso = NETDEV_GSO_TCPV6;
    packet.gso_size = 1428;
    CHECK_EQ(send(&packet), 0);
    flush();
    for (unsigned int i = 0; i < 15; i++) {
        CHECK(netback_tx_request(&back, &request));
        CHECK_EQ(request.size, i ? 4096 : 15 * 4096);
        CHECK_EQ(request.flags & NETTXF_more_data, i < 14 ? NETTXF_more_data : 0);
        CHECK_EQ(request.flags & ~NETTXF_more_data,
                 i ? 0 : NETTXF_csum_blank | NETTXF_data_validated | NETTXF_extra_info);
        CHECK_EQ(netback_page(request.gref, true)[0], i + 1);
        netback_tx_answer(&back, request.id, NETIF_RSP_OKAY);
        if (i)
            continue;
        CHECK(netback_tx_request(&back, &request));
        memcpy(&extra, &request, sizeof(extra));
        CHECK_EQ(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
        CHECK_EQ(extra.flags, 0);
        CHECK_EQ(extra.u.gso.size, 1428);
        CHECK_EQ(extra.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV6);
        netback_tx_answer(&back, 9999, NETIF_RSP_NULL); /* its id means nothing */
    }
    CHECK(!netback_tx_request(&back, &request));
    CHECK_EQ(tx_poll(q, 64), 0);
    close_queue();
}

/* A page in several packets is given back once for each. */
TEST(tx_shared_page)
{
    struct netdev_packet packet;
    struct netbuf *buf;

    open_queue();
    packet = make_packet(1, 60);
    buf = packet.frag[0].buf;
    for (unsigned int i = 0; i < 100; i++) {
        netbuf_get(buf);
        CHECK_EQ(send(&packet), 0);
    }
    flush();
    CHECK_EQ(buf->refs, 101);
    CHECK_EQ(netback_tx_all(&back), 100);
    CHECK_EQ(tx_poll(q, 1000), 0);
    CHECK_EQ(buf->refs, 1);
    netbuf_put(buf);
    close_queue();
}

TEST(tx_ring_full_and_room_again)
{
    struct netdev_packet packet;
    unsigned int sent = 0;

    open_queue();
    for (;;) {
        packet = make_packet(3, 100);
        if (send(&packet))
            break;
        sent++;
    }
    CHECK_EQ(sent, 85);
    packet = make_packet(3, 100);
    CHECK_EQ(send(&packet), -XEN_EAGAIN);
    CHECK_EQ(tx_poll(q, 64), 0);
    CHECK_EQ(rooms, 0);
    CHECK_EQ(netback_tx_all(&back), 85); /* shown without flush(): else nothing would go on */
    CHECK_EQ(tx_poll(q, 1000), 0);
    CHECK_EQ(rooms, 1);
    packet = make_packet(3, 100);
    CHECK_EQ(send(&packet), 0);
    close_queue();
}

/* A sender takes answers itself before it is refused. */
TEST(tx_ring_full_but_answered)
{
    struct netdev_packet packet;

    open_queue();
    for (unsigned int i = 0; i < 1000; i++) {
        packet = make_packet(2, 100);
        CHECK_EQ(send(&packet), 0);
        flush();
        netback_tx_all(&back);
    }
    CHECK_EQ(rooms, 0);
    close_queue();
}

TEST(tx_notifies_only_when_asked)
{
    struct netdev_packet packet;
    unsigned int before;

    open_queue();
    before = fake_port_sent(q->tx_port);
    packet = make_packet(1, 60);
    CHECK_EQ(send(&packet), 0);
    flush();
    CHECK_EQ(fake_port_sent(q->tx_port), before + 1); /* req_event was 1 */
    for (unsigned int i = 0; i < 10; i++) {
        packet = make_packet(1, 60);
        CHECK_EQ(send(&packet), 0);
        flush();
    }
    flush();
    CHECK_EQ(fake_port_sent(q->tx_port), before + 1);
    back.tx->req_event = 13;
    for (unsigned int i = 0; i < 3; i++) {
        packet = make_packet(1, 60);
        CHECK_EQ(send(&packet), 0);
        flush();
    }
    CHECK_EQ(fake_port_sent(q->tx_port), before + 2);
    netback_tx_all(&back);
    CHECK_EQ(tx_poll(q, 64), 0);
    close_queue();
}

TEST(tx_multicast)
{
    static const uint8_t mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
    struct netif_tx_request request;
    struct netif_extra_info extra;

    open_queue();
    CHECK_EQ(nf.dev.ops->multicast(&nf.dev, mac, true), 0);
    CHECK(netback_tx_request(&back, &request));
    CHECK_EQ(request.flags, NETTXF_extra_info);
    netback_tx_answer(&back, request.id, NETIF_RSP_OKAY);
    CHECK(netback_tx_request(&back, &request));
    memcpy(&extra, &request, sizeof(extra));
    CHECK_EQ(extra.type, XEN_NETIF_EXTRA_TYPE_MCAST_ADD);
    CHECK_MEM(extra.u.mcast.addr, mac, 6);
    netback_tx_answer(&back, 77, NETIF_RSP_NULL);
    CHECK_EQ(tx_poll(q, 64), 0);
    CHECK_EQ(nf.dev.ops->multicast(&nf.dev, mac, false), 0);
    CHECK_EQ(netback_tx_all(&back), 1);
    CHECK_EQ(tx_poll(q, 64), 0);
    nf.dev.features.multicast_control = false;
    CHECK_EQ(nf.dev.ops->multicast(&nf.dev, mac, true), -XEN_ENOSYS);
    close_queue();
}

/* In a full ring the packets that wait are shown first: the event they need is not forgotten. */
TEST(tx_multicast_shows_what_waits)
{
    static const uint8_t mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
    struct netdev_packet packet;
    unsigned int before;

    open_queue();
    for (unsigned int i = 0; i < 256; i++) {
        packet = make_packet(1, 60);
        CHECK_EQ(send(&packet), 0);
        if (i == 99) {
            flush();
            CHECK_EQ(netback_tx_all(&back), 100);
        }
    }
    back.tx->req_event = 200;
    before = fake_port_sent(q->tx_port);
    CHECK_EQ(nf.dev.ops->multicast(&nf.dev, mac, true), 0);
    CHECK_EQ(fake_port_sent(q->tx_port), before + 1);
    CHECK_EQ(netback_tx_all(&back), 157);
    CHECK_EQ(tx_poll(q, 1000), 0);
    close_queue();
}

TEST(tx_refuses_what_was_not_agreed_on)
{
    struct netdev_packet packet;

    open_queue();
    packet = make_packet(1, 13);
    CHECK_EQ(send(&packet), -XEN_EINVAL);
    packet = make_packet(17, 4096); /* 69,632 bytes */
    CHECK_EQ(send(&packet), -XEN_EINVAL);
    packet = make_packet(2, 100);
    packet.gso = NETDEV_GSO_TCPV4;
    packet.csum_blank = true;
    CHECK_EQ(send(&packet), -XEN_EINVAL); /* gso_size 0 */
    packet = make_packet(2, 100);
    packet.gso = NETDEV_GSO_TCPV4;
    packet.gso_size = 50;
    CHECK_EQ(send(&packet), -XEN_EINVAL); /* without csum_blank */
    packet.nfrags = 0;
    CHECK_EQ(send(&packet), -XEN_EINVAL);
    nf.dev.features = (struct netdev_features){ .mtu = 1500, .queues = 1 };
    packet = make_packet(2, 100);
    CHECK_EQ(send(&packet), -XEN_EINVAL);
    packet = make_packet(1, 100);
    packet.csum_blank = true;
    CHECK_EQ(send(&packet), -XEN_EINVAL);
    packet = make_packet(1, 100);
    CHECK_EQ(send(&packet), 0);
    q->tx.open = false;
    packet = make_packet(1, 100);
    CHECK_EQ(send(&packet), -XEN_ENOTCONN);
    close_queue();
}

TEST(tx_errors_of_the_backend_are_counted)
{
    struct netdev_packet packet;
    struct netif_tx_request request;

    open_queue();
    packet = make_packet(2, 100);
    CHECK_EQ(send(&packet), 0);
    flush();
    CHECK(netback_tx_request(&back, &request));
    netback_tx_answer(&back, request.id, NETIF_RSP_ERROR);
    CHECK(netback_tx_request(&back, &request));
    netback_tx_answer(&back, request.id, NETIF_RSP_DROPPED);
    CHECK_EQ(tx_poll(q, 64), 0);
    CHECK_EQ(q->tx.dropped, 2);
    close_queue();
}

/* One packet of one fragment is shown; its request. */
static struct netif_tx_request send_one(void)
{
    struct netif_tx_request request = { .id = 0 };
    struct netdev_packet packet;

    open_queue();
    packet = make_packet(1, 60);
    CHECK_EQ(send(&packet), 0);
    flush();
    CHECK(netback_tx_request(&back, &request));
    return request;
}

TEST(tx_prod_past_what_was_asked)
{
    send_one();
    back.tx->rsp_prod = 2;
    expect_tx_fault("tx rsp_prod", 2);
}

TEST(tx_prod_backwards)
{
    send_one();
    back.tx->rsp_prod = UINT32_MAX;
    expect_tx_fault("tx rsp_prod", UINT32_MAX);
}

TEST(tx_prod_of_what_is_not_shown_yet)
{
    struct netdev_packet packet;

    open_queue();
    packet = make_packet(1, 60);
    CHECK_EQ(send(&packet), 0);
    netback_tx_answer(&back, 0, NETIF_RSP_OKAY);
    expect_tx_fault("tx rsp_prod", 1);
}

TEST(tx_id_out_of_range)
{
    send_one();
    netback_tx_answer(&back, 256, NETIF_RSP_OKAY);
    expect_tx_fault("tx id, which is of no request,", 256);
}

TEST(tx_id_of_no_request)
{
    struct netif_tx_request request = send_one();

    netback_tx_answer(&back, request.id ^ 1, NETIF_RSP_OKAY);
    expect_tx_fault("tx id, which is of no request,", request.id ^ 1);
}

TEST(tx_id_twice)
{
    struct netif_tx_request request, second;
    struct netdev_packet packet;

    request = send_one();
    packet = make_packet(1, 60);
    CHECK_EQ(send(&packet), 0);
    flush();
    CHECK(netback_tx_request(&back, &second));
    netback_tx_answer(&back, request.id, NETIF_RSP_OKAY);
    netback_tx_answer(&back, request.id, NETIF_RSP_OKAY);
    expect_tx_fault("tx id, which is of no request,", request.id);
}

TEST(tx_null_for_a_packet)
{
    struct netif_tx_request request = send_one();

    netback_tx_answer(&back, request.id, NETIF_RSP_NULL);
    expect_tx_fault("tx status without an extra request", NETIF_RSP_NULL);
}

TEST(tx_fault_is_found_by_a_sender)
{
    struct netdev_packet packet;

    send_one();
    netback_tx_answer(&back, 300, NETIF_RSP_OKAY);
    do {
        packet = make_packet(18, 100);
    } while (send(&packet) == 0);
    CHECK(!q->tx.open);
    CHECK_STR(nf.fault.field, "tx id, which is of no request,");
    packet = make_packet(1, 100);
    CHECK_EQ(send(&packet), -XEN_ENOTCONN);
    close_queue();
}

/* The page has another user, who may go on with it; when that one is done, it is parked. */
TEST(tx_page_still_mapped)
{
    struct netif_tx_request request = send_one();
    struct netbuf *buf = q->tx.slots[request.id].buf;
    struct grant_stats stats;
    grant_ref_t any;

    netbuf_get(buf);
    CHECK(fake_grant_remote_map(NETBACK_DOMID, request.gref, true) != NULL);
    netback_tx_answer(&back, request.id, NETIF_RSP_OKAY);
    CHECK_EQ(tx_poll(q, 64), -XEN_EPROTO);
    expect_fault(&q->tx.fault, "tx id of a page that is still mapped", request.id);
    queue_stop(q);
    netback_detach(&back, q->tx.sring_ref, q->rx.sring_ref);
    queue_close(q);
    CHECK_EQ(netfront_lingering(), 1);
    CHECK_EQ(buf->refs, 2);
    netbuf_put(buf);
    CHECK_EQ(netfront_lingering(), 0);
    grant_get_stats(&stats);
    CHECK_EQ(stats.parked, 1);
    fake_grant_remote_unmap(request.gref);
    CHECK_EQ(grant_reserve(&any), 0); /* any call tries again */
    grant_end(any);
    CHECK_EQ(grants_used(), 0);
}

TEST(tx_page_lingers_until_the_backend_lets_go)
{
    struct netif_tx_request request = send_one();
    struct netbuf *buf = q->tx.slots[request.id].buf;

    netbuf_get(buf);
    CHECK(fake_grant_remote_map(NETBACK_DOMID, request.gref, true) != NULL);
    queue_stop(q);
    netback_detach(&back, q->tx.sring_ref, q->rx.sring_ref);
    queue_close(q);
    CHECK_EQ(netfront_lingering(), 1);
    fake_grant_remote_unmap(request.gref);
    CHECK_EQ(netfront_lingering(), 0);
    CHECK_EQ(buf->refs, 1);
    netbuf_put(buf);
    CHECK_EQ(grants_used(), 0);
}

/* A few answers are not worth an event of their own. */
TEST(tx_event_is_wanted_for_many_answers_only)
{
    struct netdev_packet packet;

    open_queue();
    packet = make_packet(1, 60);
    CHECK_EQ(send(&packet), 0);
    flush();
    CHECK_EQ(tx_poll(q, 64), 0);
    CHECK_EQ(back.tx->rsp_event, 32);
    for (unsigned int i = 0; i < 100; i++) {
        packet = make_packet(1, 60);
        CHECK_EQ(send(&packet), 0);
    }
    flush();
    CHECK_EQ(tx_poll(q, 64), 0);
    CHECK_EQ(back.tx->rsp_event, 51);
    netback_tx_all(&back);
    CHECK_EQ(tx_poll(q, 64), 1); /* not all in one go */
    CHECK_EQ(tx_poll(q, 64), 0);
    CHECK_EQ(back.tx->rsp_event, 101 + 32);
    close_queue();
}

/* One was refused, another gets what was free: the first is called all the same. */
TEST(tx_room_for_who_was_refused_first)
{
    struct netdev_packet packet;

    open_queue();
    for (unsigned int i = 0; i < 85; i++) {
        packet = make_packet(3, 100);
        CHECK_EQ(send(&packet), 0);
    }
    packet = make_packet(3, 100);
    CHECK_EQ(send(&packet), -XEN_EAGAIN);
    packet = make_packet(1, 100);
    CHECK_EQ(send(&packet), 0);
    netback_tx_all(&back);
    packet = make_packet(3, 100);
    CHECK_EQ(send(&packet), 0);
    CHECK_EQ(tx_poll(q, 1000), 0);
    CHECK_EQ(rooms, 1);
    close_queue();
}
