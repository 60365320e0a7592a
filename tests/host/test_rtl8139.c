/* SPDX-License-Identifier: MIT
 *
 * The emulated card's driver against a card that is late, lies, and goes.
 */
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "rtl8139/internal.h"
#include "tests/host/fake_pc.h"
#include "tests/host/test.h"

static struct netdev *dev;
static unsigned int ups, downs, received, rooms, ends;
static struct netdev_packet last; /* held until the next one */
static bool keep_none;

static void let_go(struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
    packet->nfrags = 0;
}

static void receive(struct netdev *from, unsigned int queue, struct netdev_packet *packet)
{
    CHECK(from == dev);
    CHECK_EQ(queue, 0);
    let_go(&last);
    last = *packet;
    if (keep_none)
        let_go(&last);
    atomic_fetch_add(&received, 1);
}

static void batch_end(struct netdev *from, unsigned int queue)
{
    (void)from, (void)queue;
    atomic_fetch_add(&ends, 1);
}

static void room(struct netdev *from, unsigned int queue)
{
    (void)from, (void)queue;
    atomic_fetch_add(&rooms, 1);
}

static void on_link(struct netdev *of, bool up)
{
    CHECK(of == dev);
    atomic_fetch_add(up ? &ups : &downs, 1);
}

static void on_added(struct netdev *new)
{
    dev = new;
    dev->receive = receive;
    dev->batch_end = batch_end;
    dev->tx_room = room;
    dev->link = on_link;
}

static void on_removed(struct netdev *old)
{
    CHECK(old == NULL); /* a card is never taken back */
}

static unsigned int count_of(const unsigned int *count)
{
    return load_acquire(count);
}

static const struct netdev_listener listener = { on_added, on_removed };

static void start(unsigned int cards)
{
    upcalls_enable();
    netdev_listen(&listener);
    CHECK_EQ(rtl8139_start(), cards);
}

/* The link is up. */
static void run(void)
{
    fake_card_plug();
    start(1);
    CHECK_SOON(count_of(&ups) == 1);
}

static void deliver(size_t len, uint8_t byte)
{
    uint8_t frame[2000];
    unsigned int before = count_of(&received);

    memset(frame, byte, sizeof(frame));
    CHECK(fake_card_receive(frame, len, 0));
    CHECK_SOON(count_of(&received) == before + 1);
}

static int send(unsigned int nfrags, unsigned int len, bool flush)
{
    struct netdev_packet packet = { .nfrags = nfrags };
    int rc;

    for (unsigned int i = 0; i < nfrags; i++) {
        struct netbuf *buf = netbuf_alloc();

        memset(netbuf_page(buf), (int)i + 1, PAGE_SIZE);
        packet.frag[i] = (struct netdev_frag){ buf, (uint16_t)(100 * i), (uint16_t)len };
        packet.len += len;
    }
    rc = dev->ops->send(dev, 0, &packet);
    if (rc)
        let_go(&packet);
    if (flush)
        dev->ops->flush(dev, 0);
    return rc;
}

/* Nothing is left but the receive buffers. */
static void check_bufs(void)
{
    struct netbuf_stats bufs;

    let_go(&last);
    CHECK_SOON((netbuf_get_stats(&bufs), bufs.total - bufs.pooled == SLOTS));
}

/* The card did what the driver must not accept: it is started anew, and works. */
static void expect_restart(void)
{
    CHECK_SOON(count_of(&downs) == 1);
    CHECK_SOON(count_of(&ups) == 2);
    deliver(60, 7);
    CHECK_EQ(send(1, 60, true), 0);
    CHECK_SOON(fake_card.sent > 0);
    check_bufs();
}

TEST(card_comes_up)
{
    run();
    CHECK_STR(dev->name, "rtl0");
    CHECK_MEM(dev->mac, fake_card.mac, 6);
    CHECK_EQ(dev->features.mtu, 1500);
    CHECK_EQ(dev->features.queues, 1);
    CHECK(fake_card_runs());
    CHECK(rtl8139_has(fake_card.mac));
    CHECK(!rtl8139_has((const uint8_t[6]){ 0, 1 }));
    check_bufs();
}

TEST(no_card)
{
    start(0);
}

TEST(older_chips_are_left_alone)
{
    fake_pci_add_card(FAKE_CARD_SLOT, FAKE_CARD_ID, 0x10, FAKE_CARD_PORTS);
    start(0);
    CHECK_EQ(fake_card.starts, 0);
}

TEST(other_cards_are_left_alone)
{
    fake_pci_add_card(FAKE_CARD_SLOT, 0x100e8086, 0x20, FAKE_CARD_PORTS);
    start(0);
}

TEST(mac_nonsense)
{
    fake_card_plug();
    fake_card.mac[0] = 1;
    start(0);
}

TEST(ports_nonsense)
{
    fake_card_plug();
    fake_pci[FAKE_CARD_SLOT][0].words[4] = 1;
    start(0);
}

TEST(interrupt_that_nobody_brings)
{
    fake_card_plug();
    fake_pci[FAKE_CARD_SLOT][0].words[15] = 0;
    start(0);
}

TEST(memory_out_at_start)
{
    fake_card_plug();
    upcalls_enable();
    netdev_listen(&listener);
    fake_alloc_fail_after(1);
    CHECK_EQ(rtl8139_start(), 0);
    fake_alloc_fail_after(-1);
}

/* The card itself is known, its buffers come when there is memory. */
TEST(memory_out_for_buffers)
{
    fake_card_plug();
    upcalls_enable();
    netdev_listen(&listener);
    fake_alloc_fail_after(40);
    CHECK_EQ(rtl8139_start(), 1);
    fake_pause_ms(50);
    CHECK_EQ(count_of(&ups), 0);
    fake_alloc_fail_after(-1);
    CHECK_SOON(count_of(&ups) == 1);
    deliver(60, 1);
}

TEST(rx_packet)
{
    run();
    deliver(1514, 0x5a);
    CHECK_EQ(last.nfrags, 1);
    CHECK_EQ(last.len, 1514);
    CHECK_EQ(last.frag[0].len, 1514);
    CHECK(!last.csum_valid && !last.csum_blank && !last.gso);
    for (unsigned int i = 0; i < 1514; i++)
        CHECK_EQ(((uint8_t *)netbuf_page(last.frag[0].buf))[i], 0x5a);
    CHECK_SOON(count_of(&ends) == 1);
    check_bufs();
}

TEST(rx_ring_goes_round)
{
    run();
    for (unsigned int i = 0; i < 5 * SLOTS; i++) {
        deliver(60 + i, (uint8_t)i);
        CHECK_EQ(last.len, 60 + i);
        CHECK_EQ(*(uint8_t *)netbuf_page(last.frag[0].buf), (uint8_t)i);
    }
    check_bufs();
}

TEST(rx_more_than_the_ring_has_room_for)
{
    char frame[60] = { 0 };

    run();
    keep_none = true;
    for (unsigned int i = 0; i < 20000; i++)
        fake_card_receive(frame, sizeof(frame), 0);
    CHECK_SOON(count_of(&received) + fake_card.lost == 20000);
    deliver(60, 3);
    CHECK_EQ(count_of(&downs), 0);
    check_bufs();
}

TEST(rx_error_is_dropped)
{
    char frame[60] = { 0 };

    run();
    CHECK(fake_card_receive(frame, sizeof(frame), DESC_RX_ERROR));
    deliver(60, 3);
    CHECK_EQ(count_of(&received), 1);
    CHECK_EQ(count_of(&downs), 0);
    check_bufs();
}

TEST(rx_shorter_than_a_header)
{
    char frame[60] = { 0 };

    run();
    for (unsigned int len = 0; len < 14; len++)
        CHECK(fake_card_receive(frame, len, 0));
    deliver(60, 3);
    CHECK_EQ(count_of(&received), 1);
    check_bufs();
}

TEST(rx_length_beyond_the_buffer)
{
    char frame[60] = { 0 };

    run();
    CHECK(fake_card_receive(frame, sizeof(frame), 0x1000));
    expect_restart();
}

TEST(rx_part_of_a_packet)
{
    char frame[60] = { 0 };

    run();
    CHECK(fake_card_receive(frame, sizeof(frame), DESC_LAST));
    expect_restart();
}

/* The packet is lost, its buffer is used again. */
TEST(rx_memory_out)
{
    char frame[60] = { 0 };

    run();
    keep_none = true;
    fake_alloc_fail_after(0);
    for (unsigned int i = 0; i < 200; i++)
        CHECK_SOON(fake_card_receive(frame, sizeof(frame), 0));
    fake_pause_ms(50); /* until the last is seen */
    fake_alloc_fail_after(-1);
    deliver(60, 3);
    CHECK_EQ(count_of(&downs), 0);
    check_bufs();
}

TEST(tx_packet)
{
    run();
    CHECK_EQ(send(1, 1514, false), 0);
    CHECK_EQ(fake_card.sent, 0);
    dev->ops->flush(dev, 0);
    CHECK_EQ(fake_card.sent, 1);
    CHECK_EQ(fake_card.sent_len, 1514);
    CHECK_EQ(fake_card.sent_bytes[1513], 1);
    check_bufs();
    dev->ops->flush(dev, 0); /* nothing to tell */
    CHECK_EQ(fake_card.polls, 1);
}

TEST(tx_fragments)
{
    run();
    for (unsigned int turn = 1; turn < 50; turn++) {
        CHECK_EQ(send(NETDEV_FRAGS_MAX, 80, true), 0);
        CHECK_EQ(fake_card.sent, turn);
        CHECK_EQ(fake_card.sent_len, NETDEV_FRAGS_MAX * 80);
        for (unsigned int i = 0; i < NETDEV_FRAGS_MAX * 80; i++)
            CHECK_EQ(fake_card.sent_bytes[i], i / 80 + 1);
    }
    check_bufs();
}

TEST(tx_what_cannot_be_sent)
{
    struct netdev_packet blank = { .nfrags = 1, .len = 60, .csum_blank = true };

    run();
    CHECK_EQ(send(1, 1515, true), -XEN_EINVAL);
    CHECK_EQ(send(2, 13, true), -XEN_EINVAL);
    CHECK_EQ(send(0, 0, true), -XEN_EINVAL);
    blank.frag[0] = (struct netdev_frag){ netbuf_alloc(), 0, 60 };
    CHECK_EQ(dev->ops->send(dev, 0, &blank), -XEN_EINVAL);
    let_go(&blank);
    CHECK_EQ(dev->ops->multicast(dev, dev->mac, true), -XEN_ENOSYS);
    check_bufs();
}

/* Nobody was told of what fills the ring: the sender tells. */
TEST(tx_more_than_the_ring_without_a_word)
{
    run();
    for (unsigned int i = 0; i < 3 * SLOTS; i++)
        CHECK_EQ(send(1, 60, false), 0);
    dev->ops->flush(dev, 0);
    CHECK_EQ(fake_card.sent, 3 * SLOTS);
    check_bufs();
}

TEST(tx_card_is_slow)
{
    run();
    fake_card.slow = true;
    for (unsigned int i = 0; i < SLOTS; i++)
        CHECK_EQ(send(1, 60, true), 0);
    CHECK_EQ(send(1, 60, true), -XEN_EAGAIN);
    CHECK_SOON(fake_card_int_mask() & INT_TX_OK);
    CHECK_EQ(count_of(&rooms), 0);
    fake_card_send();
    CHECK_SOON(count_of(&rooms) == 1);
    CHECK_SOON(!(fake_card_int_mask() & INT_TX_OK));
    CHECK_EQ(send(1, 60, true), 0);
    fake_card_send();
    check_bufs();
    CHECK_EQ(count_of(&downs), 0);
}

TEST(tx_card_does_not_send)
{
    run();
    fake_card.slow = true;
    CHECK_EQ(send(3, 60, true), 0);
    fake_pause_ms(20);
    CHECK_EQ(count_of(&downs), 0);
    fake_time_skip(3 * NS_PER_S);
    CHECK_SOON(count_of(&downs) == 1);
    CHECK_EQ(send(1, 60, true), -XEN_ENOTCONN);
    fake_card.slow = false;
    expect_restart();
}

/* A packet lies there when the sender's time is over: its slot is kept, and nothing is lost. */
TEST(tx_card_does_not_send_but_receives)
{
    uint8_t frame[60] = { 0 };

    run();
    fake_card.slow = fake_card.silent = true;
    CHECK_EQ(send(1, 60, true), 0);
    fake_pause_ms(20);
    CHECK(fake_card_receive(frame, sizeof(frame), 0));
    fake_time_skip(3 * NS_PER_S);
    CHECK_SOON(count_of(&downs) == 1);
    fake_card.slow = fake_card.silent = false;
    expect_restart();
    CHECK_EQ(count_of(&received), 1); /* expect_restart()'s own */
}

/* Without a link nothing goes out, which is nobody's fault. */
TEST(tx_waits_for_the_link)
{
    run();
    fake_card.slow = true;
    CHECK_EQ(send(1, 60, true), 0);
    fake_card.link = false;
    fake_card_raise(INT_LINK);
    CHECK_SOON(count_of(&downs) == 1);
    fake_time_skip(10 * NS_PER_S);
    fake_pause_ms(20);
    CHECK_EQ(fake_card.starts, 1);
    fake_card_send();
    fake_card.link = true;
    fake_card_raise(INT_LINK);
    CHECK_SOON(count_of(&ups) == 2);
    check_bufs();
    CHECK_EQ(fake_card.starts, 1);
}

TEST(tx_given_up_by_the_card)
{
    unsigned int polls;

    run();
    fake_card.gives_up = true;
    CHECK_EQ(send(1, 60, true), 0);
    polls = fake_card.polls;
    CHECK_SOON(fake_card.polls > polls); /* told to go on */
    fake_card.gives_up = false;
    CHECK_EQ(send(1, 60, true), 0);
    CHECK_EQ(fake_card.sent, 2);
    CHECK_EQ(count_of(&downs), 0);
    check_bufs();
}

TEST(link_down_and_up)
{
    fake_card_plug();
    fake_card.link = false;
    start(1);
    CHECK_SOON(fake_card_runs());
    fake_pause_ms(20);
    CHECK_EQ(count_of(&ups), 0);
    CHECK_EQ(send(1, 60, true), -XEN_ENOTCONN);
    for (unsigned int turn = 1; turn < 5; turn++) {
        fake_card.link = true;
        fake_card_raise(INT_LINK);
        CHECK_SOON(count_of(&ups) == turn);
        deliver(60, 1);
        CHECK_EQ(send(1, 60, true), 0);
        fake_card.link = false;
        fake_card_raise(INT_LINK);
        CHECK_SOON(count_of(&downs) == turn);
    }
    CHECK_EQ(fake_card.starts, 1);
}

TEST(interrupts_about_nothing)
{
    run();
    for (unsigned int i = 0; i < 100; i++)
        fake_card_raise(INT_FIFO | INT_RX_OVERFLOW | INT_RX_ERROR | INT_TX_OK | INT_LINK);
    deliver(60, 1);
    CHECK_EQ(count_of(&downs), 0);
    CHECK_EQ(count_of(&ups), 1);
}

TEST(bus_error)
{
    run();
    fake_card_raise(INT_SYSTEM);
    expect_restart();
}

TEST(reset_without_end)
{
    fake_card_plug();
    fake_card.reset_has_no_end = true;
    start(1);
    CHECK_SOON(load_once(&fake_card.starts) >= 1);
    fake_time_skip(NS_PER_S);
    fake_pause_ms(20);
    CHECK_EQ(count_of(&ups), 0);
    fake_card.reset_has_no_end = false;
    fake_time_skip(NS_PER_S);
    CHECK_SOON(count_of(&ups) == 1);
    deliver(60, 1);
    check_bufs();
}

TEST(card_goes_and_comes_back)
{
    run();
    CHECK_EQ(send(1, 60, true), 0);
    fake_card_raise(INT_RX_OK);
    fake_card.gone = true;
    fake_card_raise(INT_RX_ERROR);
    CHECK_SOON(count_of(&downs) == 1);
    CHECK_EQ(send(1, 60, true), -XEN_ENOTCONN);
    fake_card.gone = false;
    fake_time_skip(NS_PER_S);
    expect_restart();
}

/* The more often, the later. */
TEST(restarts_without_end_are_slowed_down)
{
    unsigned int starts;

    run();
    for (unsigned int i = 0; i < 8; i++) {
        CHECK_SOON(count_of(&ups) == i + 1);
        fake_card_raise(INT_SYSTEM);
        CHECK_SOON(count_of(&downs) == i + 1);
        if (i < 7)
            fake_time_skip(11 * NS_PER_S);
    }
    starts = fake_card.starts;
    fake_time_skip(NS_PER_S);
    fake_pause_ms(50);
    CHECK_EQ(fake_card.starts, starts);
}

/* Two senders, the card in between. */
static void sender(void *arg)
{
    unsigned int *count = arg;

    for (unsigned int i = 0; i < 2000; i++) {
        int rc = send(1 + i % 5, 60, i % 7 == 0);

        if (rc == 0)
            atomic_fetch_add(count, 1);
        else
            CHECK_EQ(rc, -XEN_EAGAIN);
    }
    dev->ops->flush(dev, 0);
}

TEST(tx_of_several_threads)
{
    struct thread *threads[3];
    unsigned int count = 0;

    run();
    for (unsigned int i = 0; i < 3; i++)
        CHECK_EQ(thread_create(&threads[i], "sender", 0, PRIORITY_NORMAL, sender, &count), 0);
    for (unsigned int i = 0; i < 3; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
    dev->ops->flush(dev, 0);
    CHECK_EQ(fake_card.sent, count);
    CHECK_GT(count, 5000);
    check_bufs();
}
