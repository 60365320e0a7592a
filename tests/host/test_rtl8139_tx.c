/* SPDX-License-Identifier: MIT
 *
 * The emulated card's driver sends: to a card that is slow, gives up, or has no link.
 */
#include "tests/host/rtl8139_card.h"

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
