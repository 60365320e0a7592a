/* SPDX-License-Identifier: MIT
 *
 * The receive ring with a backend that keeps the rules and one that breaks each of them, and the
 * opening of a queue (ABI: Xen public/io/netif.h).
 */
#include "tests/host/netfront_queue.h"

static unsigned int posted(void)
{
    return q->rx.prod - q->rx.cons;
}

static void expect_rx_fault(const char *field, uint64_t value)
{
    CHECK_EQ(rx_poll(q, 1000), -XEN_EPROTO);
    expect_fault(&q->rx.fault, field, value);
    CHECK_EQ(received, 0);
    close_queue();
}

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
    CHECK_EQ(events_init(fake_shared_info, EVENTS_AUTO), 0);
    q->nf = &nf;
    signal_init(&q->work);
    CHECK_EQ(queue_open(q), -XEN_ENOSPC);
    queue_stop(q);
    queue_close(q);
    CHECK_EQ(grants_used(), 0);
}
