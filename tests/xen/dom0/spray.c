/* SPDX-License-Identifier: MIT
 *
 * In dom0: packets that nobody should send, put straight into a domain's interface.
 *
 *     spray VIF MAC ADDRESS SECONDS RATE SEED
 *
 * Each is one of a few good ones, with bytes changed, cut off or added; some with a right checksum,
 * some with a blank one, some as pieces of a larger packet.  The same SEED makes the same packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKET_MAX 9000
#define BATCH      64

struct packet {
    struct virtio_net_hdr offload;
    unsigned char bytes[PACKET_MAX];
} __attribute__((packed));

static unsigned char mac[6], dom0_mac[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
static struct in_addr address;
static uint64_t state;

static uint32_t any(uint32_t below)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 16) % below;
}

static unsigned char *put(unsigned char *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static unsigned char *put_random(unsigned char *at, size_t len)
{
    while (len--)
        *at++ = (unsigned char)any(256);
    return at;
}

static uint16_t sum_of(const unsigned char *p, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

/* What IP carries. Ports that are open, or that clients of ours answer to, are the usual ones. */
static unsigned char *put_payload(unsigned char *at, unsigned int protocol)
{
    static const uint16_t ports[] = { 80, 7, 9, 53, 67, 68, 546, 5353 };
    uint16_t port = any(4) ? ports[any(8)] : (uint16_t)any(65536);
    unsigned char *start = at;

    at = put_random(at, any(8) ? 8 + any(600) : any(8));
    switch (protocol) {
    case IPPROTO_TCP:
        start[2] = (unsigned char)(port >> 8), start[3] = (unsigned char)port;
        start[12] = any(4) ? 0x50 + (unsigned char)any(11) * 16 : (unsigned char)any(256);
        start[13] = (unsigned char)(1u << any(6) | 1u << any(6));
        break;
    case IPPROTO_UDP:
        start[any(2) * 2] = (unsigned char)(port >> 8), start[any(2) * 2 + 1] = (unsigned char)port;
        start[4] = (unsigned char)((at - start) >> 8), start[5] = (unsigned char)(at - start);
        break;
    case IPPROTO_ICMP:
    case IPPROTO_IGMP:
        start[0] = (unsigned char)any(20), start[1] = (unsigned char)any(6);
        break;
    case IPPROTO_ICMPV6:
        start[0] = any(3) ? (unsigned char)(128 + any(16)) : (unsigned char)any(8);
        start[1] = 0;
        if (any(2)) /* an option of length 0, or longer than what there is */
            start[24] = (unsigned char)any(6), start[25] = (unsigned char)(any(2) ? 0 : any(40));
        break;
    }
    return at;
}

static unsigned char *put_ip4(struct packet *p, unsigned char *at)
{
    static const unsigned char protocols[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
                                               IPPROTO_IGMP };
    unsigned int protocol = any(16) ? protocols[any(5)] : any(256),
                 words = any(4) ? 5 : 5 + any(11);
    struct ip ip = {
        .ip_v = 4, .ip_hl = words & 15, .ip_ttl = 64, .ip_p = (uint8_t)protocol, .ip_dst = address
    };
    unsigned char *start = at;
    size_t len;

    ip.ip_src.s_addr = htonl(any(2) ? 0x0a000200u + any(256) : any(0xffffffffu));
    if (any(8) == 0)
        ip.ip_dst.s_addr = htonl(any(2) ? 0xffffffffu : 0xe0000000u + any(256));
    ip.ip_id = htons((uint16_t)any(4));
    ip.ip_off = htons(any(3) ? 0 : (uint16_t)(any(2) ? IP_MF | any(4) : any(65536)));
    at = put_payload(put_random(put(at, &ip, sizeof(ip)), words * 4 - 20), protocol);
    len = (size_t)(at - start);
    if (any(8) == 0)
        len = any(65536);
    start[2] = (unsigned char)(len >> 8), start[3] = (unsigned char)len;
    if (any(16)) {
        uint16_t sum = sum_of(start, words * 4);

        start[10] = (unsigned char)(sum >> 8), start[11] = (unsigned char)sum;
    }
    if (protocol == IPPROTO_TCP && any(2))
        p->offload.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    p->offload.csum_start = (uint16_t)(14 + words * 4);
    p->offload.csum_offset = protocol == IPPROTO_TCP ? 16 : 6;
    return at;
}

static unsigned char *put_ip6(struct packet *p, unsigned char *at)
{
    static const unsigned char protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6,
                                               IPPROTO_ICMPV6 };
    static const unsigned char extensions[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
                                                IPPROTO_DSTOPTS };
    unsigned char protocol = any(16) ? protocols[any(4)] : (unsigned char)any(256);
    struct ip6_hdr ip = { .ip6_flow = htonl(6u << 28),
                          .ip6_nxt = protocol,
                          .ip6_hlim = any(4) ? 255 : 64 };
    unsigned char *start = at, *next = at + 6;
    size_t len;

    ip.ip6_src.s6_addr[0] = 0xfe, ip.ip6_src.s6_addr[1] = 0x80,
    ip.ip6_src.s6_addr[15] = (uint8_t)any(256);
    ip.ip6_dst = ip.ip6_src;
    memcpy(&ip.ip6_dst.s6_addr[8],
           (unsigned char[8]){ mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] }, 8);
    if (any(3) == 0)
        memcpy(&ip.ip6_dst, (unsigned char[16]){ 0xff, 2, [15] = 1 }, 16);
    at = put(at, &ip, sizeof(ip));
    for (unsigned int i = any(4) ? 0 : 1 + any(6); i; i--) {
        unsigned int words = any(3);

        *next = extensions[any(4)];
        next = at;
        at = put_random(at, 8 + words * 8);
        next[0] = protocol, next[1] = (unsigned char)(any(8) ? words : any(256));
    }
    at = put_payload(at, protocol);
    len = any(8) ? (size_t)(at - start) - 40 : any(65536);
    start[4] = (unsigned char)(len >> 8), start[5] = (unsigned char)len;
    if (protocol == IPPROTO_TCP && any(2))
        p->offload.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
    p->offload.csum_start = 14 + 40;
    p->offload.csum_offset = protocol == IPPROTO_TCP ? 16 : protocol == IPPROTO_UDP ? 6 : 2;
    return at;
}

static unsigned char *put_arp(unsigned char *at)
{
    at = put(at, (unsigned char[]){ 0, 1, 8, 0, 6, 4, 0, (unsigned char)any(4) }, 8);
    at = put_random(at, 6);
    at = put(at, (unsigned char[]){ 10, 0, 2, (unsigned char)(16 + any(200)) }, 4);
    return put(put_random(at, 6), &address, 4);
}

/* Returns its length. */
static size_t make(struct packet *p)
{
    static const uint16_t types[] = { ETHERTYPE_IP, ETHERTYPE_IP, ETHERTYPE_IPV6, ETHERTYPE_IPV6,
                                      ETHERTYPE_ARP };
    uint16_t type = any(32) ? types[any(5)] : (uint16_t)any(65536);
    unsigned char *at = p->bytes;
    size_t len;

    memset(&p->offload, 0, sizeof(p->offload));
    at = any(8) ? put(at, mac, 6) : put(at, (unsigned char[]){ 255, 255, 255, 255, 255, 255 }, 6);
    at = put(at, dom0_mac, 6);
    at = put(at, (unsigned char[]){ (unsigned char)(type >> 8), (unsigned char)type }, 2);
    at = type == ETHERTYPE_IP     ? put_ip4(p, at)
         : type == ETHERTYPE_IPV6 ? put_ip6(p, at)
         : type == ETHERTYPE_ARP  ? put_arp(at)
                                  : put_random(at, any(1400));
    for (unsigned int i = any(3) ? 0 : 1 + any(8); i; i--)
        p->bytes[14 + any((uint32_t)(at - p->bytes) - 13)] = (unsigned char)any(256);
    len = (size_t)(at - p->bytes);
    if (any(8) == 0)
        len = 14 + any((uint32_t)len - 13);
    if (any(4) == 0 && p->offload.csum_start) {
        p->offload.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        p->offload.gso_size = p->offload.gso_type ? (uint16_t)(1 + any(600)) : 0;
        p->offload.hdr_len = p->offload.csum_start + 20;
    } else {
        memset(&p->offload, 0, sizeof(p->offload));
    }
    return len;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int open_vif(const char *name)
{
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name) };
    int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;

    if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
        bind(fd, (struct sockaddr *)&to, sizeof(to))) {
        perror(name);
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    unsigned long sent = 0, refused = 0;
    static struct packet packet;
    uint64_t end_ns, rate;
    int fd;

    if (argc != 7 || inet_aton(argv[3], &address) == 0 ||
        sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
               &mac[4], &mac[5]) != 6) {
        fprintf(stderr, "usage: spray VIF MAC ADDRESS SECONDS RATE SEED\n");
        return 1;
    }
    fd = open_vif(argv[1]);
    rate = strtoull(argv[5], NULL, 10);
    state = strtoull(argv[6], NULL, 10) * 0x9e3779b97f4a7c15 + 1;
    end_ns = now_ns() + strtoull(argv[4], NULL, 10) * 1000000000;
    while (now_ns() < end_ns) {
        for (int i = 0; i < BATCH; i++) {
            size_t len = make(&packet);

            if (send(fd, &packet, sizeof(packet.offload) + len, 0) < 0)
                refused++;
            else
                sent++;
        }
        usleep((useconds_t)(BATCH * 1000000 / rate));
    }
    printf("%lu sent, %lu refused\n", sent, refused);
    return 0;
}
