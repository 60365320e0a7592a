/* SPDX-License-Identifier: MIT
 *
 * A queue's two rings with a backend that keeps the rules and one that breaks each of them
 * (ABI: Xen public/io/netif.h). No thread and no xenstore: the test calls what they would.
 */
#include "events/events.h"
#include "grant/grant.h"
#include "mm/page.h"
#include "lib/irq.h"
#include "netfront/internal.h"
#include "tests/host/fake_netback.h"
#include "tests/host/test.h"

static struct netfront nf = { .id = 0 };
static struct netfront_queue queue, *const q = &queue;
static struct fake_netback back;

/* What came up; the last packet is kept. */
static struct netdev_packet last;
static unsigned int received, rooms;

static void let_go(struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
    packet->nfrags = 0;
}

static uint8_t *bytes_of(const struct netdev_packet *packet, unsigned int frag)
{
    return (uint8_t *)netbuf_page(packet->frag[frag].buf) + packet->frag[frag].offset;
}

static void receive(struct netdev *dev, unsigned int index, struct netdev_packet *packet)
{
    CHECK(dev == &nf.dev);
    CHECK_EQ(index, q->index);
    let_go(&last);
    last = *packet;
    received++;
}

static void room(struct netdev *dev, unsigned int index)
{
    (void)dev;
    (void)index;
    rooms++;
}

static unsigned int grants_used(void)
{
    struct grant_stats stats;

    grant_get_stats(&stats);
    return stats.used;
}

static unsigned int first_target; /* 0: all there may be */
static unsigned int queues = 1;   /* that share the memory */

/* A queue as it is when the link is up, everything agreed on. */
static void open_queue(void)
{
    CHECK_EQ(events_init(fake_xen.shared, EVENTS_AUTO), 0);
    upcalls_enable();
    nf.queues[0] = q;
    nf.nr_queues = 1;
    nf.gso4 = nf.gso6 = true;
    nf.xenbus.backend_id = NETBACK_DOMID;
    nf.carrier = true;
    nf.dev = (struct netdev){
        .name = "vif0", .ops = &netfront_ops, .driver = &nf, .receive = receive, .tx_room = room
    };
    nf.dev.features = (struct netdev_features){ true, true, true, true, true, true, 1500, queues };
    signal_init(&nf.look);
    q->nf = &nf;
    spin_lock_init(&q->tx.lock, LOCK_NET);
    signal_init(&q->work);
    CHECK_EQ(queue_open(q), 0);
    q->rx.target = first_target ? first_target
                                : q->rx.target_max; /* nothing is to grow but where it is tested */
    CHECK_EQ(rx_poll(q, 1), 0);
    q->tx.open = true;
    netback_attach(&back, q->tx.sring_ref, q->rx.sring_ref);
}

static unsigned int posted(void)
{
    return q->rx.prod - q->rx.cons;
}

/* All is given back: refs, and pages but for those in the netbufs' pools. */
static void close_queue(void)
{
    struct netbuf_stats bufs;

    let_go(&last);
    queue_stop(q);
    netback_detach(&back, q->tx.sring_ref, q->rx.sring_ref);
    queue_close(q);
    CHECK_EQ(grants_used(), 0);
    netbuf_get_stats(&bufs);
    CHECK_EQ(bufs.total, bufs.pooled);
}

/* The rule was broken: so it is said. */
static void expect_fault(const struct netfront_fault *fault, const char *field, uint64_t value)
{
    CHECK_STR(fault->field, field);
    CHECK_EQ(fault->value, value);
}

static void expect_rx_fault(const char *field, uint64_t value)
{
    CHECK_EQ(rx_poll(q, 1000), -XEN_EPROTO);
    expect_fault(&q->rx.fault, field, value);
    CHECK_EQ(received, 0);
    close_queue();
}

static void expect_tx_fault(const char *field, uint64_t value)
{
    CHECK_EQ(tx_poll(q, 1000), -XEN_EPROTO);
    expect_fault(&q->tx.fault, field, value);
    CHECK(!q->tx.open);
    CHECK_EQ(tx_poll(q, 1000), -XEN_EPROTO); /* and stays so */
    close_queue();
}

/* --- receiving --- */

TEST(rx_ring_is_full_from_the_start)
{
    struct netif_rx_request request;
    unsigned int count = 0;

    open_queue();
    while (netback_rx_request(&back, &request)) {
        CHECK_EQ(request.id, count++);
        CHECK(netback_page(request.gref, false) != NULL);
    }
    CHECK_EQ(count, 256);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(received, 0);
    close_queue();
}

/* Few pages at first, more when they are used up quickly. */
TEST(rx_ring_grows_when_it_is_used)
{
    first_target = 64;
    open_queue();
    CHECK_EQ(posted(), 64);
    for (unsigned int i = 0; i < 32; i++)
        netback_deliver(&back, 60, 0, 0);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(posted(), 64);
    for (unsigned int i = 0; i < 33; i++)
        netback_deliver(&back, 60, 0, 0);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(posted(), 128);
    for (unsigned int i = 0; i < 128; i++)
        netback_deliver(&back, 60, 0, 0);
    CHECK_EQ(rx_poll(q, 1000), 0);
    CHECK_EQ(posted(), 256);
    for (unsigned int i = 0; i < 256; i++)
        netback_deliver(&back, 60, 0, 0);
    CHECK_EQ(rx_poll(q, 1000), 0);
    CHECK_EQ(posted(), 256);
    CHECK_EQ(received, 32 + 33 + 128 + 256);
    close_queue();
}

/* A large domain's is the ring's; a small one's a part of its memory; the least lets a large packet
 * in. */
TEST(rx_ring_fits_the_memory)
{
    struct page_stats pages;

    page_get_stats(&pages);
    open_queue();
    CHECK_EQ(q->rx.target_max, 256);
    close_queue();
    queues = (unsigned int)pages.free / 8 / 50;
    open_queue();
    CHECK_GE(q->rx.target_max, 40);
    CHECK_LE(q->rx.target_max, 51);
    close_queue();
}

TEST(rx_packet_arrives)
{
    struct netif_rx_request request;

    open_queue();
    request = netback_deliver(&back, 60, 0xab, NETRXF_data_validated);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(received, 1);
    CHECK_EQ(last.nfrags, 1);
    CHECK_EQ(last.len, 60);
    CHECK(last.csum_valid && !last.csum_blank && !last.gso);
    CHECK_EQ(bytes_of(&last, 0)[59], 0xab);
    CHECK(netback_page(request.gref, false) != netbuf_page(last.frag[0].buf));
    CHECK_EQ(back.rx->req_prod, 257); /* filled again */
    close_queue();
}

static struct netif_rx_request watched;

static void receive_watched(struct netdev *dev, unsigned int index, struct netdev_packet *packet)
{
    CHECK_EQ(fake_grant_entry(watched.gref)->flags, 0);
    receive(dev, index, packet);
}

TEST(rx_page_is_ours_alone_before_it_is_looked_at)
{
    open_queue();
    nf.dev.receive = receive_watched;
    watched = netback_deliver(&back, 60, 0, 0);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(received, 1);
    close_queue();
}

TEST(rx_checksum_flags)
{
    open_queue();
    netback_deliver(&back, 60, 0, 0);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK(!last.csum_valid && !last.csum_blank);
    netback_deliver(&back, 60, 0, NETRXF_csum_blank | NETRXF_data_validated);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK(last.csum_valid && last.csum_blank);
    close_queue();
}

TEST(rx_chain_with_gso)
{
    open_queue();
    netback_deliver(&back, 4096, 1, NETRXF_more_data | NETRXF_extra_info | NETRXF_csum_blank);
    netback_rx_extra(&back, &(struct netif_extra_info){ .type = XEN_NETIF_EXTRA_TYPE_GSO,
                                                        .u.gso = { .size = 1448, .type = 1 } });
    for (unsigned int i = 2; i <= 16; i++)
        netback_deliver(&back, i < 16 ? 4096 : 100, i, i < 16 ? NETRXF_more_data : 0);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(received, 1);
    CHECK_EQ(last.nfrags, 16);
    CHECK_EQ(last.len, 15 * 4096 + 100);
    CHECK_EQ(last.gso, NETDEV_GSO_TCPV4);
    CHECK_EQ(last.gso_size, 1448);
    CHECK(last.csum_blank && last.csum_valid);
    CHECK_EQ(bytes_of(&last, 15)[99], 16);
    CHECK_EQ(back.rx->req_prod, 256 + 17); /* the page behind the extra_info too */
    close_queue();
}

TEST(rx_chain_in_pieces_and_over_budget)
{
    open_queue();
    netback_deliver(&back, 100, 1, NETRXF_more_data);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(received, 0);
    netback_deliver(&back, 100, 2, NETRXF_more_data);
    netback_deliver(&back, 100, 3, 0);
    netback_deliver(&back, 60, 4, 0);
    CHECK_EQ(rx_poll(q, 2), 1); /* one more is there */
    CHECK_EQ(received, 1);
    CHECK_EQ(last.len, 300);
    CHECK_EQ(rx_poll(q, 2), 0);
    CHECK_EQ(received, 2);
    close_queue();
}

TEST(rx_ten_thousand_packets_around_the_ring)
{
    open_queue();
    for (unsigned int i = 1; i <= 10000; i++) {
        netback_deliver(&back, 60 + i % 1000, (uint8_t)i, 0);
        if (i % 37 == 0)
            CHECK_EQ(rx_poll(q, 64), 0);
    }
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(received, 10000);
    close_queue();
}

TEST(rx_runts_and_the_backends_own_errors_are_dropped)
{
    struct netif_rx_request request;

    open_queue();
    netback_deliver(&back, 13, 0, 0);
    netback_deliver(&back, 0, 0, 0);
    CHECK(netback_rx_request(&back, &request));
    netback_rx_answer(&back, &(struct netif_rx_response){ .id = request.id, .status = -1 });
    netback_deliver(&back, 100, 0, NETRXF_more_data);
    CHECK(netback_rx_request(&back, &request));
    netback_rx_answer(&back, &(struct netif_rx_response){ .id = request.id, .status = -32768 });
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(received, 0);
    CHECK_EQ(q->rx.dropped, 4);
    netback_deliver(&back, 14, 0, 0);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(received, 1);
    CHECK_EQ(back.rx->req_prod, 256 + 6);
    close_queue();
}

TEST(rx_memory_out_and_back)
{
    open_queue();
    for (unsigned int i = 0; i < 100; i++)
        netback_deliver(&back, 60, 0, 0);
    fake_alloc_fail_after(0);
    nf.dev.receive = NULL; /* nobody took the device: pages come back at once */
    CHECK_EQ(rx_poll(q, 1000), 0);
    nf.dev.receive = receive;
    for (unsigned int i = 0; i < 156; i++)
        netback_deliver(&back, 60, 0, NETRXF_more_data * (i % 18 < 17));
    fake_alloc_fail_after(-1);
    CHECK_EQ(rx_poll(q, 1000), 0);
    CHECK(!rx_is_short(&q->rx));
    close_queue();
}

TEST(rx_prod_past_what_was_asked)
{
    open_queue();
    back.rx->rsp_prod = 257;
    expect_rx_fault("rx rsp_prod", 257);
}

TEST(rx_prod_backwards)
{
    open_queue();
    netback_deliver(&back, 60, 0, 0);
    CHECK_EQ(rx_poll(q, 64), 0);
    received = 0;
    back.rx->rsp_prod = 0;
    expect_rx_fault("rx rsp_prod", 0);
}

static void answer_with_id(uint16_t id)
{
    struct netif_rx_request request;

    open_queue();
    CHECK(netback_rx_request(&back, &request));
    netback_rx_answer(&back, &(struct netif_rx_response){ .id = id, .status = 60 });
    expect_rx_fault("rx id, which is not the next request's,", id);
}

TEST(rx_id_of_another_request)
{
    answer_with_id(1);
}

TEST(rx_id_out_of_range)
{
    answer_with_id(65535);
}

static void answer_with_place(uint16_t offset, int16_t status, uint64_t value)
{
    struct netif_rx_request request;

    open_queue();
    CHECK(netback_rx_request(&back, &request));
    netback_rx_answer(
        &back, &(struct netif_rx_response){ .id = request.id, .offset = offset, .status = status });
    expect_rx_fault("rx offset + status", value);
}

TEST(rx_longer_than_a_page)
{
    answer_with_place(0, 4097, 4097);
}

TEST(rx_over_the_end_of_the_page)
{
    answer_with_place(4090, 7, 4097);
}

TEST(rx_offset_beyond_the_page)
{
    answer_with_place(65535, 32767, 65535 + 32767);
}

TEST(rx_chain_of_too_many)
{
    open_queue();
    for (unsigned int i = 0; i < 19; i++)
        netback_deliver(&back, 60, 0, NETRXF_more_data);
    expect_rx_fault("number of rx responses for one packet", 19);
}

TEST(rx_chain_too_long)
{
    open_queue();
    for (unsigned int i = 0; i < 17; i++)
        netback_deliver(&back, 4096, 0, NETRXF_more_data);
    expect_rx_fault("length of an rx packet", 16 * 4096);
}

TEST(rx_chain_without_end_of_empty_pieces)
{
    open_queue();
    for (unsigned int i = 0; i < 200; i++)
        netback_deliver(&back, 0, 0, NETRXF_more_data);
    CHECK_EQ(rx_poll(q, 1000), 0);
    CHECK_EQ(received, 0);
    close_queue();
}

static void answer_with_extra(const struct netif_extra_info *extra, const char *field,
                              uint64_t value)
{
    open_queue();
    netback_deliver(&back, 60, 0, NETRXF_extra_info);
    netback_rx_extra(&back, extra);
    expect_rx_fault(field, value);
}

TEST(rx_extra_of_no_type)
{
    answer_with_extra(&(struct netif_extra_info){ .type = 0 }, "rx extra type", 0);
}

TEST(rx_extra_of_an_unknown_type)
{
    answer_with_extra(&(struct netif_extra_info){ .type = 200 }, "rx extra type", 200);
}

TEST(rx_extra_hash_not_asked_for)
{
    answer_with_extra(&(struct netif_extra_info){ .type = XEN_NETIF_EXTRA_TYPE_HASH },
                      "rx extra type", XEN_NETIF_EXTRA_TYPE_HASH);
}

TEST(rx_gso_of_an_unknown_type)
{
    answer_with_extra(&(struct netif_extra_info){ .type = 1, .u.gso = { .size = 1448, .type = 3 } },
                      "rx gso.type, which was not agreed on,", 3);
}

TEST(rx_gso_of_size_0)
{
    answer_with_extra(&(struct netif_extra_info){ .type = 1, .u.gso = { .size = 0, .type = 1 } },
                      "rx gso.size", 0);
}

TEST(rx_gso_not_agreed_on)
{
    open_queue();
    nf.gso6 = false;
    netback_deliver(&back, 60, 0, NETRXF_extra_info);
    netback_rx_extra(&back,
                     &(struct netif_extra_info){ .type = 1, .u.gso = { .size = 1, .type = 2 } });
    expect_rx_fault("rx gso.type, which was not agreed on,", 2);
}

TEST(rx_extra_inside_of_a_packet)
{
    open_queue();
    netback_deliver(&back, 60, 0, NETRXF_more_data);
    netback_deliver(&back, 60, 0, NETRXF_extra_info);
    expect_rx_fault("rx flags inside of a packet", NETRXF_extra_info);
}

TEST(rx_extras_without_end)
{
    open_queue();
    netback_deliver(&back, 60, 0, NETRXF_extra_info);
    for (unsigned int i = 0; i < 255; i++)
        netback_rx_extra(&back, &(struct netif_extra_info){ .type = 1,
                                                            .flags = XEN_NETIF_EXTRA_FLAG_MORE,
                                                            .u.gso = { .size = 1448, .type = 1 } });
    CHECK_EQ(rx_poll(q, 1000), 0);
    CHECK_EQ(received, 0);
    close_queue();
}

/* Its page is parked with its ref until the backend lets go. */
TEST(rx_page_still_mapped)
{
    struct netif_rx_request request;
    struct grant_stats stats;

    open_queue();
    CHECK(netback_rx_request(&back, &request));
    CHECK(fake_grant_remote_map(NETBACK_DOMID, request.gref, false) != NULL);
    netback_rx_answer(&back, &(struct netif_rx_response){ .id = request.id, .status = 60 });
    CHECK_EQ(rx_poll(q, 64), -XEN_EPROTO);
    expect_fault(&q->rx.fault, "rx id of a page that is still mapped", 0);
    queue_stop(q);
    netback_detach(&back, q->tx.sring_ref, q->rx.sring_ref);
    queue_close(q);
    grant_get_stats(&stats);
    CHECK_EQ(stats.parked, 1);
    CHECK_EQ(stats.used, 1);
    fake_grant_remote_unmap(request.gref);
    netfront_lingering();
    CHECK_EQ(grant_reserve(&request.gref), 0); /* any call tries again */
    grant_end(request.gref);
    CHECK_EQ(grants_used(), 0);
}

/* --- sending --- */

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

TEST(rx_notifies_only_when_asked)
{
    unsigned int before;

    open_queue();
    back.rx->req_event = 1000;
    before = fake_port_sent(q->rx_port);
    for (unsigned int i = 0; i < 300; i++) {
        netback_deliver(&back, 60, 0, 0);
        CHECK_EQ(rx_poll(q, 64), 0);
    }
    CHECK_EQ(fake_port_sent(q->rx_port), before);
    back.rx->req_event = back.rx->req_prod + 1;
    netback_deliver(&back, 60, 0, 0);
    CHECK_EQ(rx_poll(q, 64), 0);
    CHECK_EQ(fake_port_sent(q->rx_port), before + 1);
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

/* --- opening --- */

TEST(queue_opens_when_memory_is_short_or_not_at_all)
{
    open_queue();
    close_queue();
    for (long allowed = 0; allowed < 600; allowed += 7) {
        struct netbuf_stats bufs;

        fake_alloc_fail_after(allowed);
        if (queue_open(q) == 0)
            CHECK_GE(q->rx.prod, 20);
        fake_alloc_fail_after(-1);
        queue_stop(q);
        queue_close(q);
        CHECK_EQ(grants_used(), 0);
        netbuf_get_stats(&bufs);
        CHECK_EQ(bufs.total, bufs.pooled);
    }
}

TEST(queue_opens_when_the_grant_table_is_full)
{
    fake_xen.max_grant_frames = 1;
    CHECK_EQ(events_init(fake_xen.shared, EVENTS_AUTO), 0);
    q->nf = &nf;
    signal_init(&q->work);
    CHECK_EQ(queue_open(q), -XEN_ENOSPC);
    queue_stop(q);
    queue_close(q);
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
