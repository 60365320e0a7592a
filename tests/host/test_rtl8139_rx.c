/* SPDX-License-Identifier: MIT
 *
 * The emulated card's driver receives: what a card may say of a packet.
 */
#include "tests/host/rtl8139_card.h"

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
