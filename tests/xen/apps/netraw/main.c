/* SPDX-License-Identifier: MIT
 *
 * netfront without a TCP/IP stack: answers ARP and pings on each interface, straight over
 * net/netdev.h.  `netraw ADDRESS`: vif0 has that address, vif1 the next one, and so on.  Says what
 * comes and goes, and at its end what it holds still.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "grant/grant.h"
#include "mm/page.h"
#include "netraw.h"
#include "xenolith.h"

static uint32_t base_address;
static unsigned long received[8];

static void let_go(struct netdev_packet *packet)
{
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
}

void send_packet(struct netdev *dev, unsigned int queue, struct netdev_packet *packet)
{
    if (dev->ops->send(dev, queue, packet))
        let_go(packet);
}

uint32_t sum_bytes(uint32_t sum, const void *bytes, unsigned int len)
{
    const uint8_t *at = bytes;

    for (unsigned int i = 0; i < len; i++)
        sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
    return sum;
}

uint16_t sum_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void swap(uint8_t *a, uint8_t *b, unsigned int len)
{
    for (unsigned int i = 0; i < len; i++) {
        uint8_t byte = a[i];

        a[i] = b[i];
        b[i] = byte;
    }
}

static uint32_t address_of(const struct netdev *dev)
{
    return base_address + (uint32_t)atoi(dev->name + 3);
}

static void answer_arp(struct netdev *dev, unsigned int queue, struct netdev_packet *packet,
                       uint8_t *frame)
{
    uint8_t *arp = frame + ETH_LEN;

    if (packet->len < ETH_LEN + 28 || get16(arp + 6) != 1 || get32(arp + 24) != address_of(dev)) {
        let_go(packet);
        return;
    }
    put16(arp + 6, 2);
    swap(arp + 8, arp + 18, 10);
    memcpy(arp + 8, dev->mac, 6);
    memcpy(frame, arp + 18, 6);
    memcpy(frame + 6, dev->mac, 6);
    packet->csum_blank = packet->csum_valid = false;
    send_packet(dev, queue, packet);
}

/* The same bytes go back: the checksum changes only by the type's, 8 to 0. */
static void answer_ping(struct netdev *dev, unsigned int queue, struct netdev_packet *packet,
                        uint8_t *frame)
{
    uint8_t *ip = frame + ETH_LEN, *icmp = ip + 20;

    icmp[0] = 0;
    put16(icmp + 2, sum_fold((uint32_t)get16(icmp + 2) + 0x0800));
    swap(ip + 12, ip + 16, 4);
    swap(frame, frame + 6, 6);
    packet->csum_blank = packet->csum_valid = false;
    send_packet(dev, queue, packet);
}

static void receive(struct netdev *dev, unsigned int queue, struct netdev_packet *packet)
{
    uint8_t *frame = (uint8_t *)netbuf_page(packet->frag[0].buf) + packet->frag[0].offset;
    uint8_t *ip = frame + ETH_LEN;
    bool ipv4 = packet->frag[0].len >= ETH_LEN + 28 && get16(frame + 12) == 0x0800 &&
                ip[0] == 0x45 && get32(ip + 16) == address_of(dev);

    __atomic_fetch_add(&received[queue % 8], 1, __ATOMIC_RELAXED);
    if (get16(frame + 12) == 0x0806)
        answer_arp(dev, queue, packet, frame);
    else if (ipv4 && ip[9] == 1 && ip[20] == 8)
        answer_ping(dev, queue, packet, frame);
    else if (ipv4 && ip[9] == 6 && packet->frag[0].len >= ETH_LEN + 40)
        answer_tcp(dev, queue, packet, frame);
    else
        let_go(packet);
}

static void batch_end(struct netdev *dev, unsigned int queue)
{
    tcp_batch_end(dev, queue);
    dev->ops->flush(dev, queue);
}

static void link(struct netdev *dev, bool up)
{
    const struct netdev_features *f = &dev->features;

    if (!up) {
        printf("%s: down\n", dev->name);
        return;
    }
    printf("%s: up mtu %u queues %u%s%s%s%s%s%s\n", dev->name, f->mtu, f->queues,
           f->sg ? " sg" : "", f->csum_ipv4 ? " csum4" : "", f->csum_ipv6 ? " csum6" : "",
           f->gso_tcpv4 ? " gso4" : "", f->gso_tcpv6 ? " gso6" : "",
           f->multicast_control ? " mcast" : "");
}

static void added(struct netdev *dev)
{
    dev->receive = receive;
    dev->batch_end = batch_end;
    dev->tx_room = tcp_batch_end;
    dev->link = link;
    printf("%s: added %02x:%02x:%02x:%02x:%02x:%02x\n", dev->name, dev->mac[0], dev->mac[1],
           dev->mac[2], dev->mac[3], dev->mac[4], dev->mac[5]);
}

static void removed(struct netdev *dev)
{
    printf("%s: removed\n", dev->name);
}

/* What an interface could have left behind. */
static void say_holdings(const char *when)
{
    struct netbuf_stats bufs;
    struct grant_stats grants;
    struct page_stats pages;

    netbuf_get_stats(&bufs);
    grant_get_stats(&grants);
    page_get_stats(&pages);
    printf("%s: netbufs in use %lu, grants %u, parked %u, pages in use %lu\n", when,
           bufs.total - bufs.pooled, grants.used, grants.parked,
           pages.total - pages.free - bufs.total);
}

int main(int argc, char **argv)
{
    static const struct netdev_listener listener = { added, removed };
    unsigned int a[4];
    char line[80];

    if (argc != 2 || sscanf(argv[1], "%u.%u.%u.%u", &a[0], &a[1], &a[2], &a[3]) != 4) {
        printf("usage: netraw ADDRESS\n");
        return 2;
    }
    base_address = a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];
    netdev_listen(&listener);
    while (fgets(line, sizeof(line), stdin)) {
        if (strncmp(line, "holdings", 8) == 0)
            say_holdings("holdings");
        if (strncmp(line, "cpu", 3) == 0)
            printf("cpu: %llu ns\n",
                   (unsigned long long)percpu_boot.runstate.time[RUNSTATE_running]);
        if (strncmp(line, "received", 8) == 0)
            printf("received: %lu %lu %lu %lu\n", received[0], received[1], received[2],
                   received[3]);
    }
    return 0;
}
