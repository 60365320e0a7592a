/* SPDX-License-Identifier: MIT
 *
 * What an interface is called and where it is: options, DHCP, routers' advertisements, neighbours,
 * name servers; several interfaces; and what all of it costs when nothing happens.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include "kernel/time.h"
#include "lwip/netif.h"
#include "net/core.h"
#include "net/resolve.h"
#include "net/socket.h"
#include "tests/host/test.h"
#include "tests/net/peer.h"
#include "tests/net/world.h"

static uint8_t frame[WORLD_FRAME];

static struct socket *datagrams(void)
{
    struct socket *s = socket_new(&datagram_socket_ops, AF_INET, SOCK_DGRAM, 0);

    CHECK_EQ(datagram_socket_create(s), 0);
    return s;
}

static ssize_t send_to(struct socket *s, uint32_t to, size_t len)
{
    static char bytes[65536];
    struct sockaddr_in name = { .sin_family = AF_INET,
                                .sin_port = htons(9),
                                .sin_addr.s_addr = htonl(to) };
    struct iovec part = { bytes, len };
    struct msghdr message = {
        .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &part, .msg_iovlen = 1
    };

    return s->ops->send(s, &message, 0, 0);
}

static void drop(struct socket *s)
{
    s->ops->close(s, 0);
    socket_free(s);
}

/* --- DHCP --- */

#define SERVER 0x0a000001u

static unsigned int dhcp_asked[9], dhcp_nak;
static uint32_t dhcp_lease_s = 600, dhcp_last_to;
static bool dhcp_mute;

static const uint8_t *option_of(const uint8_t *message, int len, uint8_t wanted)
{
    for (int i = 240; i + 1 < len && message[i] != 255; i += 2 + message[i + 1])
        if (message[i] == wanted)
            return message + i + 2;
    return NULL;
}

static void dhcp_answer(const uint8_t *asked, uint8_t type)
{
    static const uint8_t own[4] = { 10, 0, 0, 77 };
    uint8_t m[300] = { 2, 1, 6 };
    const uint8_t options[] = { 99,
                                130,
                                83,
                                99,
                                53,
                                1,
                                type,
                                54,
                                4,
                                10,
                                0,
                                0,
                                1,
                                51,
                                4,
                                0,
                                0,
                                (uint8_t)(dhcp_lease_s >> 8),
                                (uint8_t)dhcp_lease_s,
                                1,
                                4,
                                255,
                                255,
                                255,
                                0,
                                3,
                                4,
                                10,
                                0,
                                0,
                                1,
                                6,
                                8,
                                10,
                                0,
                                0,
                                53,
                                10,
                                0,
                                0,
                                54,
                                255 };

    memcpy(m + 4, asked + 4, 4);
    memcpy(m + 28, asked + 28, 16);
    if (type != 6)
        memcpy(m + 16, own, 4);
    memcpy(m + 236, options, sizeof(options));
    peer_send_udp(0, SERVER, 67, 0xffffffff, 68, m, sizeof(m));
}

static void dhcp_serve(void)
{
    const uint8_t *m, *type;
    uint16_t port;
    int len;

    while ((len = peer_next_udp(0, 67, &m, &dhcp_last_to, &port, frame)) >= 0) {
        uint8_t copy[600];

        memcpy(copy, m, MIN((size_t)len, sizeof(copy)));
        type = option_of(copy, len, 53);
        if (!type)
            continue;
        dhcp_asked[*type]++;
        if (dhcp_mute)
            continue;
        if (*type == 1)
            dhcp_answer(copy, 2);
        if (*type == 3)
            dhcp_answer(copy, dhcp_nak ? 6 : 5), dhcp_nak = 0;
    }
}

TEST(dhcp_gives_an_address)
{
    world_peer = dhcp_serve;
    world_attach(0, NULL);
    world_pass_ms(20000);
    CHECK_EQ(dhcp_asked[1], 1);
    CHECK_EQ(dhcp_asked[3], 1);
    CHECK_STR(world_store("data/net/0/ip"), "10.0.0.77/24");
    CHECK_STR(world_store("data/net/0/gateway"), "10.0.0.1");
    CHECK_STR(world_store("data/net/0/dns"), "10.0.0.53");
}

TEST(dhcp_lease_is_renewed)
{
    world_peer = dhcp_serve;
    world_attach(0, NULL);
    world_pass_ms(20000);
    CHECK_EQ(dhcp_asked[3], 1);
    for (unsigned int minutes = 0; minutes < 60; minutes++)
        world_pass_ms(60000);
    CHECK_GE(dhcp_asked[3], 9); /* at half of each lease */
    CHECK_LE(dhcp_asked[3], 15);
    CHECK_EQ(dhcp_asked[1], 1);
    CHECK_EQ(dhcp_last_to, SERVER);
    CHECK_STR(world_store("data/net/0/ip"), "10.0.0.77/24");
}

TEST(dhcp_server_goes_and_comes)
{
    world_peer = dhcp_serve;
    world_attach(0, NULL);
    world_pass_ms(20000);
    dhcp_mute = true;
    world_pass_ms(700000);
    CHECK(world_store("data/net/0/ip") == NULL); /* the lease is over */
    dhcp_mute = false;
    world_pass_ms(200000);
    CHECK_STR(world_store("data/net/0/ip"), "10.0.0.77/24");
}

TEST(dhcp_refusal_begins_anew)
{
    dhcp_nak = 1;
    world_peer = dhcp_serve;
    world_attach(0, NULL);
    world_pass_ms(60000);
    CHECK_GE(dhcp_asked[1], 2);
    CHECK_STR(world_store("data/net/0/ip"), "10.0.0.77/24");
}

TEST(dhcp_again_after_the_link_was_down)
{
    struct netdev *dev;

    world_peer = dhcp_serve;
    dev = world_attach(0, NULL);
    world_pass_ms(20000);
    dev->link(dev, false);
    world_pass_ms(1000);
    dev->link(dev, true);
    world_pass_ms(20000);
    CHECK_EQ(dhcp_asked[3], 2);
    CHECK_STR(world_store("data/net/0/ip"), "10.0.0.77/24");
}

/* --- names --- */

static unsigned int dns_asked[2];
static bool dns_mute[2];

static void dns_serve(void)
{
    const uint8_t *m;
    uint16_t port;
    uint32_t to;
    int len;

    while ((len = peer_next_udp(0, 53, &m, &to, &port, frame)) >= 0) {
        static const uint8_t record[16] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9 };
        unsigned int server = to - 0x0a000035u;
        uint8_t answer[512];

        CHECK_LT(server, 2);
        dns_asked[server]++;
        if (dns_mute[server])
            continue;
        memcpy(answer, m, (size_t)len);
        answer[2] = 0x81, answer[3] = 0x80;
        answer[7] = 1;
        memcpy(answer + len, record, sizeof(record));
        peer_send_udp(0, to, 53, 0x0a000002, port, answer, (size_t)len + sizeof(record));
    }
}

static int resolve(const char *name, uint32_t *address)
{
    ip_addr_t ip;
    int rc = resolve_by_dns(name, false, &ip);

    *address = rc ? 0 : ntohl(ip_addr_get_ip4_u32(&ip));
    return rc;
}

static void attach_with_dns(void)
{
    world_peer = dns_serve;
    world_attach(0, "10.0.0.2/24,dns=10.0.0.53,dns=10.0.0.54");
    world_pass_ms(2000);
}

TEST(dns_first_server_answers)
{
    uint32_t address;

    attach_with_dns();
    CHECK_EQ(resolve("one.example", &address), 0);
    CHECK_EQ(address, 0xc0000209);
    CHECK_EQ(resolve("one.example", &address), 0); /* remembered */
    CHECK_EQ(dns_asked[0], 1);
    CHECK_EQ(dns_asked[1], 0);
}

TEST(dns_second_server_when_the_first_is_silent)
{
    uint64_t since_ns;
    uint32_t address;

    attach_with_dns();
    dns_mute[0] = true;
    since_ns = world_now_ns;
    CHECK_EQ(resolve("two.example", &address), 0);
    CHECK_EQ(address, 0xc0000209);
    CHECK_GE(dns_asked[0], 2);
    CHECK_EQ(dns_asked[1], 1);
    CHECK_LE(world_now_ns - since_ns, 10 * NS_PER_S);
}

TEST(dns_nobody_answers)
{
    uint64_t since_ns;
    uint32_t address;

    attach_with_dns();
    dns_mute[0] = dns_mute[1] = true;
    since_ns = world_now_ns;
    CHECK_NE(resolve("three.example", &address), 0);
    CHECK_GE(dns_asked[1], 2);
    CHECK_LE(world_now_ns - since_ns, 20 * NS_PER_S);
}

/* --- IPv6 --- */

static const uint8_t router[16] = { 0xfe, 0x80, [15] = 1 };
static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };
static const uint8_t own_link_local[16] = { 0xfe, 0x80, [8] = 2, 0x16, 0x3e, 0xff, 0xfe };

static void advertise(uint16_t lifetime, uint8_t valid_s, uint16_t mtu)
{
    uint8_t m[16 + 8 + 8 + 32 + 24] = { 134 };
    const uint8_t link[8] = { 1, 1, 2 },
                  large[8] = { 5, 1, [6] = (uint8_t)(mtu >> 8), [7] = (uint8_t)mtu };
    const uint8_t prefix[32] = {
        3, 4, 64, 0xc0, [7] = valid_s, [11] = valid_s, [16] = 0x20, 0x01, 0x0d, 0xb8
    };
    const uint8_t servers[24] = { 25, 3, [6] = 1, [8] = 0x20, 0x01, 0x0d, 0xb8, [23] = 0x53 };

    m[4] = 64;
    m[6] = (uint8_t)(lifetime >> 8), m[7] = (uint8_t)lifetime;
    memcpy(m + 16, link, 8);
    memcpy(m + 24, large, 8);
    memcpy(m + 32, prefix, 32);
    memcpy(m + 64, servers, 24);
    peer_send_icmp6(0, router, all_nodes, m, sizeof(m));
}

/* The next ICMPv6 message of that type that was sent; NULL: none. */
static const uint8_t *next_icmp6(unsigned int n, uint8_t type)
{
    size_t len;

    while ((len = peer_next(n, frame)))
        if (frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == 58 && frame[54] == type)
            return frame + 54;
    return NULL;
}

TEST(slaac_address_comes_and_goes)
{
    world_attach(0, "dhcp");
    CHECK(next_icmp6(0, 133) ==
          NULL); /* first the link-local address, then a router is asked for */
    world_pass_ms(6000);
    CHECK(next_icmp6(0, 133) != NULL);
    advertise(1800, 100, 1400);
    world_pass_ms(4000);
    CHECK_STR(world_store("data/net/0/ip6"), "2001:db8::216:3eff:fe00:0");
    CHECK_EQ(netif_mtu6(netif_get_by_index(2)), 1400);
    CHECK_EQ(netif_get_by_index(2)->mtu, 1500);
    world_pass_ms(60000);
    advertise(1800, 100, 1400);
    world_pass_ms(60000);
    CHECK_STR(world_store("data/net/0/ip6"), "2001:db8::216:3eff:fe00:0");
    world_pass_ms(180000);
    CHECK(world_store("data/net/0/ip6") == NULL);
}

TEST(slaac_address_of_somebody_else)
{
    uint8_t m[32] = { 136, [4] = 0x20, [8] = 0x20, 0x01, 0x0d, 0xb8 };

    world_attach(0, "dhcp");
    world_pass_ms(6000);
    advertise(1800, 100, 1500);
    memcpy(m + 16, own_link_local + 8, 8);
    m[24] = 2, m[25] = 1, m[26] = 2;
    peer_send_icmp6(0, router, all_nodes, m, sizeof(m)); /* while it is tentative */
    world_pass_ms(10000);
    CHECK(world_store("data/net/0/ip6") == NULL);
}

TEST(nonsense_of_routers_is_dropped)
{
    uint8_t m[24] = { 134, [4] = 64, [16] = 3, 0 }; /* an option of no length */

    world_attach(0, "dhcp");
    world_pass_ms(6000);
    peer_send_icmp6(0, router, all_nodes, m, sizeof(m));
    m[17] = 4; /* longer than the message */
    peer_send_icmp6(0, router, all_nodes, m, sizeof(m));
    advertise(1800, 100, 20); /* an MTU below IPv6's */
    world_pass_ms(6000);
    CHECK_GE(netif_mtu6(netif_get_by_index(2)), 1280);
}

TEST(neighbours_are_answered_and_asked)
{
    uint8_t m[32] = { 135 };
    const uint8_t to[16] = { 0xff, 2, [11] = 1, 0xff, 0, 0, 0 };

    world_attach(0, "dhcp");
    world_pass_ms(6000);
    world_drop_sent();
    memcpy(m + 8, own_link_local, 16);
    m[24] = 1, m[25] = 1, m[26] = 2;
    peer_send_icmp6(0, router, to, m, sizeof(m));
    CHECK(next_icmp6(0, 136) != NULL);
}

/* --- interfaces --- */

TEST(filters_are_told_again)
{
    struct netdev *dev;
    unsigned int all;

    world_full = true;
    dev = world_attach(0, "10.0.0.2/24");
    world_pass_ms(6000);
    CHECK_EQ(world_filters[0], 0);
    world_room(0);
    all = world_filters[0];
    CHECK_GE(all, 3); /* all hosts, all nodes, the own address's */
    dev->link(dev, false);
    dev->link(dev, true);
    CHECK_EQ(world_filters[0], 2 * all);
}

TEST(several_interfaces_have_their_networks)
{
    struct socket *s = datagrams();

    world_attach(0, "10.0.0.2/24,gw=10.0.0.1");
    world_attach(1, "10.1.0.2/24");
    world_attach(2, "10.2.0.2/24");
    world_pass_ms(6000);
    CHECK_STR(world_store("data/net/1/ip"), "10.1.0.2/24");
    CHECK_STR(world_store("data/net/2/ip"), "10.2.0.2/24");
    world_drop_sent();
    for (unsigned int n = 0; n < 3; n++) {
        const uint8_t *data;
        uint16_t port;
        uint32_t to;

        send_to(s, 0x0a000009 | n << 16, 10);
        CHECK_EQ(peer_next_udp(n, 9, &data, &to, &port, frame), 10);
        CHECK_EQ(frame[5], n); /* of that wire */
    }
    send_to(s, 0xc0000201, 10); /* elsewhere: by the gateway */
    CHECK(peer_next(0, frame) != 0 || peer_arp_requests);
    world_detach(1);
    world_pass_ms(1000);
    CHECK(world_store("data/net/1/ip") == NULL);
    drop(s);
}

TEST(mtu_is_the_devices)
{
    struct socket *s = datagrams();
    struct netdev *dev = world_attach(0, "10.0.0.2/24");
    unsigned int frames = 0;

    world_pass_ms(6000);
    send_to(s, 0x0a000009, 10);
    while (peer_next(0, frame))
        ;
    send_to(s, 0x0a000009, 8000);
    for (size_t len; (len = peer_next(0, frame)); frames++)
        CHECK_LE(len, 1514);
    CHECK_EQ(frames, 6);
    dev->link(dev, false);
    dev->features.mtu = 9000;
    dev->link(dev, true);
    world_pass_ms(100);
    world_drop_sent();
    send_to(s, 0x0a000009, 8000);
    while (peer_next(0, frame))
        frames += frame[12] == 8 && frame[13] == 0;
    CHECK_EQ(frames, 7); /* one more */
    drop(s);
}

/* --- nothing happens --- */

TEST(idle_wakes_nobody)
{
    struct socket *s = datagrams();
    unsigned int before;

    world_attach(0, "10.0.0.2/24");
    world_pass_ms(30000);
    before = world_wakes;
    world_pass_ms(3600000);
    CHECK_LE(world_wakes - before, 61); /* once a minute */
    drop(s);
}

/* What was asked of ARP is asked again each second, and given up. */
TEST(arp_is_asked_again)
{
    struct socket *s = datagrams();
    unsigned int before;

    peer_silent = 0x0a000009;
    world_attach(0, "10.0.0.2/24");
    world_pass_ms(30000);
    while (peer_next(0, frame))
        ;
    before = peer_arp_requests;
    send_to(s, 0x0a000009, 10);
    world_pass_ms(20000);
    while (peer_next(0, frame))
        ;
    CHECK_GE(peer_arp_requests - before, 4);
    CHECK_LE(peer_arp_requests - before, 6);
    before = world_wakes;
    world_pass_ms(600000);
    CHECK_LE(world_wakes - before, 11);
    drop(s);
}
