/* SPDX-License-Identifier: MIT
 *
 * Many who want something: connections nobody finishes, windows nobody reads, fragments nobody
 * completes.  Others are served, and memory has an end.
 */
#include <errno.h>
#include <stdlib.h>
#include "net/budget.h"
#include "net/netif.h"
#include "net/socket.h"
#include "tests/host/test.h"
#include "tests/net/peer.h"
#include "tests/net/world.h"
#include "xenolith.h"

#define OWN    0x0a000002u /* 10.0.0.2 */
#define CLIENT 0xc0000201u /* 192.0.2.1, behind the gateway */

static uint8_t frame[WORLD_FRAME], bytes[WORLD_FRAME];

static struct socket *open_socket(const struct socket_ops *ops, int type, uint16_t port)
{
    struct socket *s = socket_new(ops, AF_INET, type, 0);
    struct socket_name any = { .port = port };

    CHECK_EQ(ops == &stream_socket_ops ? stream_socket_create(s) : datagram_socket_create(s), 0);
    net_lock();
    CHECK_EQ(s->ops->bind(s, &any), 0);
    net_unlock();
    return s;
}

static struct socket *listen_on(uint16_t port, int backlog)
{
    struct socket *s = open_socket(&stream_socket_ops, SOCK_STREAM, port);

    net_lock();
    CHECK_EQ(s->ops->listen(s, backlog), 0);
    net_unlock();
    return s;
}

/* The client's side of a connection. */
struct client {
    uint32_t ip;
    uint16_t port;
    uint32_t seq, ack;
};

static void say(const struct client *c, uint8_t flags, uint32_t seq, const void *data, size_t len)
{
    peer_send_tcp(0, &(struct peer_tcp){ .from = c->ip,
                                         .to = OWN,
                                         .from_port = c->port,
                                         .to_port = 80,
                                         .seq = seq,
                                         .ack = flags & PEER_ACK ? c->ack : 0,
                                         .flags = flags,
                                         .window = 65535,
                                         .data = data,
                                         .len = len });
}

/* With the gateway's address known. */
static void begin(void)
{
    struct client nobody = { .ip = CLIENT, .port = 1 };

    world_attach(0, "10.0.0.2/24,gw=10.0.0.1");
    world_pass_ms(2000);
    say(&nobody, PEER_ACK, 0, NULL, 0); /* is reset */
    while (peer_next(0, frame))
        ;
}

static bool connect_client(struct client *c, uint32_t ip, uint16_t port)
{
    struct peer_tcp answer;

    *c = (struct client){ .ip = ip, .port = port, .seq = 1000 };
    say(c, PEER_SYN, c->seq++, NULL, 0);
    while (peer_next_tcp(0, port, &answer, frame))
        if (answer.to == ip && answer.flags == (PEER_SYN | PEER_ACK) && answer.ack == c->seq) {
            c->ack = answer.seq + 1;
            say(c, PEER_ACK, c->seq, NULL, 0);
            return true;
        }
    return false;
}

static struct socket *accept_one(struct socket *listener)
{
    struct socket *s = NULL;

    net_lock();
    listener->ops->accept(listener, &s, 0);
    net_unlock();
    return s;
}

static ssize_t receive_some(struct socket *s, size_t len)
{
    struct iovec part = { bytes, len };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    return s->ops->receive(s, &message, 0, 0);
}

static void close_socket(struct socket *s)
{
    s->ops->close(s, 0);
    socket_free(s);
}

static void flood(unsigned int count)
{
    static unsigned int turn;

    for (unsigned int i = 0; i < count; i++, turn++) {
        struct client c = { .ip = 0x0b000000 + turn * 7919 % 0x100000,
                            .port = (uint16_t)(1024 + turn % 60000) };

        say(&c, PEER_SYN, turn, NULL, 0);
    }
    world_drop_sent();
}

TEST(syn_flood_lets_real_clients_in)
{
    struct socket *listener = listen_on(80, 16);
    unsigned long pages = 0, blocks = 0;
    struct client c;

    begin();
    for (unsigned int i = 0; i < 50; i++) {
        struct socket *s;

        flood(200);
        CHECK(connect_client(&c, CLIENT, (uint16_t)(1000 + i)));
        s = accept_one(listener);
        CHECK(s != NULL);
        flood(100);
        say(&c, PEER_ACK | PEER_PSH, c.seq, "hello", 5);
        CHECK_EQ(receive_some(s, 10), 5);
        close_socket(s);
        world_pass_ms(20);
        if (i == 10) {
            pages = world_pages;
            blocks = world_blocks;
        }
    }
    CHECK_LE(world_pages, pages + 8);
    CHECK_LE(world_blocks, blocks + 200); /* 40 connections in TIME_WAIT */
}

/* A handshake may take its time while others begin one, even if few may wait to be accepted. */
TEST(half_open_ones_are_not_the_backlogs)
{
    struct socket *listener = listen_on(80, 2);
    struct peer_tcp answer;
    struct client slow = { .ip = CLIENT, .port = 5000, .seq = 1 }, c;

    begin();
    say(&slow, PEER_SYN, slow.seq++, NULL, 0);
    CHECK(peer_next_tcp(0, 5000, &answer, frame));
    slow.ack = answer.seq + 1;
    flood(100);
    say(&slow, PEER_ACK, slow.seq, NULL, 0);
    CHECK(accept_one(listener) != NULL);
    /* Two may wait; the third has to come again. */
    CHECK(connect_client(&c, CLIENT, 5001));
    CHECK(connect_client(&c, CLIENT, 5002));
    CHECK(!connect_client(&c, CLIENT, 5003));
    CHECK(accept_one(listener) != NULL);
    CHECK(connect_client(&c, CLIENT, 5003));
}

/* Send pieces, in order or with the first byte missing; how many bytes were taken of the former. */
static size_t fill(struct client *c, const struct socket *s, size_t piece, unsigned int tries,
                   bool in_order)
{
    uint32_t seq = c->seq + (in_order ? 0 : 1);

    for (unsigned int i = 0; i < tries; i++) {
        say(c, PEER_ACK, seq, bytes, piece);
        seq = in_order ? c->seq + s->received_len : seq + (uint32_t)piece;
    }
    world_drop_sent();
    return s->received_len;
}

TEST(unread_windows_stay_within_the_budget)
{
    struct socket *listener = listen_on(80, 100), *s[21];
    struct client c[21];

    begin();
    CHECK_EQ(net_budget_pages, world_pages_max / 4);
    net_budget_pages = 256;
    for (unsigned int i = 0; i < 21; i++) {
        CHECK(connect_client(&c[i], CLIENT + i, 2000));
        s[i] = accept_one(listener);
        CHECK(s[i] != NULL);
    }
    for (unsigned int i = 0; i < 20; i++) /* of one byte each: a page for a byte */
        fill(&c[i], s[i], 1, 600, true);
    CHECK_LE(net_held_pages, 256);
    CHECK_GE(net_held_pages, 200);
    printf("  # %u of 256 pages held\n", net_held_pages);
    /* And there is room for one who does read. */
    for (unsigned int i = 0; i < 100; i++) {
        say(&c[20], PEER_ACK, c[20].seq, bytes, 1000);
        CHECK_EQ(receive_some(s[20], 1000), 1000);
        c[20].seq += 1000;
    }
    for (unsigned int i = 0; i < 21; i++)
        close_socket(s[i]);
    CHECK_EQ(net_held_pages, 0);
}

TEST(what_came_out_of_order_gives_way)
{
    struct socket *listener = listen_on(80, 100), *s[30];
    struct client c[30];

    begin();
    net_budget_pages = 128;
    for (unsigned int i = 0; i < 30; i++) {
        CHECK(connect_client(&c[i], CLIENT + i, 2000));
        s[i] = accept_one(listener);
        CHECK(s[i] != NULL);
    }
    for (unsigned int i = 0; i < 29; i++)
        fill(&c[i], s[i], 1000, 100, false);
    CHECK_LE(net_held_pages, 128);
    CHECK_GE(net_held_pages, 64);
    /* More than what they left. */
    CHECK_GE(fill(&c[29], s[29], 1000, 100, true), 50000);
    CHECK_LE(net_held_pages, 128);
    for (unsigned int i = 0; i < 30; i++)
        close_socket(s[i]);
    CHECK_EQ(net_held_pages, 0);
}

TEST(unread_datagrams_stay_within_the_budget)
{
    struct socket *greedy[40], *other = open_socket(&datagram_socket_ops, SOCK_DGRAM, 100);

    begin();
    net_budget_pages = 512;
    for (unsigned int i = 0; i < 40; i++) {
        greedy[i] = open_socket(&datagram_socket_ops, SOCK_DGRAM, (uint16_t)(200 + i));
        for (unsigned int n = 0; n < 100; n++)
            peer_send_udp(0, CLIENT, 9, OWN, (uint16_t)(200 + i), "x", 1);
    }
    CHECK_LE(net_held_pages, 512);
    peer_send_udp(0, CLIENT, 9, OWN, 100, "y", 1);
    CHECK_EQ(receive_some(other, 10), 1);
    for (unsigned int i = 0; i < 40; i++)
        close_socket(greedy[i]);
    close_socket(other);
    CHECK_EQ(net_held_pages, 0);
}

TEST(fragments_stay_within_the_budget_and_age)
{
    begin();
    net_budget_pages = 128;
    for (unsigned int i = 0; i < 1000; i++)
        peer_send_fragment(0, CLIENT, OWN, (uint16_t)i, 8, true, 1400);
    CHECK_LE(net_held_pages, 66);
    world_pass_ms(80000);
    peer_send_udp(0, CLIENT, 9, OWN, 9, "x", 1); /* lets time be made up for */
    CHECK_EQ(net_held_pages, 0);
}

static uint64_t dropped(void)
{
    struct xenolith_network network;

    xenolith_get_network(&network);
    return network.dropped;
}

/* The last piece of a datagram may be a byte, which is less than a header of UDP. */
TEST(short_last_fragment_is_not_cut_short)
{
    uint64_t before;

    begin();
    before = dropped();
    peer_send_fragment(0, CLIENT, OWN, 1, 0, true, 1400);
    peer_send_fragment(0, CLIENT, OWN, 1, 1400, false, 1);
    CHECK_EQ(dropped(), before);
    peer_send_fragment(0, CLIENT, OWN, 2, 0, false, 1);
    CHECK_EQ(dropped(), before + 1);
}

static size_t send_all(struct socket *s)
{
    struct iovec part = { bytes, 60000 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    size_t done = 0;
    ssize_t rc;

    while ((rc = s->ops->send(s, &message, 0, 0)) > 0)
        done += (size_t)rc;
    CHECK_EQ(rc, -EAGAIN);
    return done;
}

TEST(what_nobody_fetches_stays_within_the_budget)
{
    struct socket *listener = listen_on(80, 100), *s[41];
    struct client c[41];
    size_t sent;

    begin();
    net_budget_pages = 512;
    for (unsigned int i = 0; i < 41; i++) {
        CHECK(connect_client(&c[i], CLIENT + i, 2000));
        s[i] = accept_one(listener);
        CHECK(s[i] != NULL);
        if (i < 40)
            CHECK_GE(send_all(s[i]), 4096);
    }
    CHECK_LE(net_sent_pages, 512 + 80);
    /* One who does fetch gets all, a little at a time. */
    for (sent = 0; sent < 200000;) {
        size_t more = send_all(s[40]);

        CHECK_GE(more, 1);
        sent += more;
        for (unsigned int turns = 0; turns < 20; turns++) {
            struct peer_tcp answer;

            while (peer_next_tcp(0, 2000, &answer, frame))
                if (answer.to == c[40].ip && answer.seq == c[40].ack)
                    c[40].ack += (uint32_t)answer.len;
            say(&c[40], PEER_ACK, c[40].seq, NULL, 0);
        }
        if (more == 0)
            break;
    }
    for (unsigned int i = 0; i < 41; i++) {
        say(&c[i], PEER_RST, c[i].seq, NULL, 0);
        close_socket(s[i]);
    }
    CHECK_EQ(net_sent_pages, 0);
}

TEST(connections_have_a_limit)
{
    struct socket *listener = listen_on(80, 100), *first = NULL;
    struct client c;

    begin();
    CHECK_EQ(world_option("net-connections", "20"), 0);
    CHECK_NE(world_option("net-connections", "many"), 0);
    CHECK_NE(world_option("net-memory", "0"), 0);
    for (unsigned int i = 0; i < 20; i++) {
        CHECK(connect_client(&c, CLIENT + i, 2000));
        first = first ? first : accept_one(listener);
    }
    CHECK(!connect_client(&c, CLIENT + 20, 2000));
    close_socket(first);
    say(&(struct client){ .ip = CLIENT, .port = 2000, .ack = c.ack }, PEER_RST, 1001, NULL, 0);
    CHECK(connect_client(&c, CLIENT + 20, 2001));
}

/* Nothing stays of ten thousand connections. */
TEST(connections_leave_nothing)
{
    struct socket *listener = listen_on(80, 100);
    unsigned long pages = 0, blocks = 0;

    begin();
    for (unsigned int i = 0; i < 10000; i++) {
        struct client c;
        struct socket *s;

        CHECK(connect_client(&c, CLIENT, (uint16_t)(1024 + i)));
        s = accept_one(listener);
        if (!s) {
            CHECK(s != NULL);
            return;
        }
        say(&c, PEER_ACK | PEER_PSH, c.seq, "hello", 5);
        say(&c, PEER_RST, c.seq + 5, NULL, 0);
        close_socket(s);
        world_drop_sent();
        if (i % 100 == 0)
            world_pass_ms(100);
        if (i == 1000) {
            pages = world_pages;
            blocks = world_blocks;
        }
    }
    CHECK_EQ(world_pages, pages);
    CHECK_EQ(world_blocks, blocks);
}
