/* SPDX-License-Identifier: MIT
 *
 * The emulated card's driver: a card that is late, lies, and goes.
 */
#include "tests/host/rtl8139_card.h"

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
