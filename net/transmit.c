/* SPDX-License-Identifier: MIT
 *
 * Sending: lwIP's packets go to queues of network devices, which are told once of all that was
 * queued.  A full queue refuses; lwIP keeps the packet, and whoever waits hears of room.
 */
#include <errno.h>
#include <string.h>
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "net/core.h"
#include "net/interface.h"

static struct waitq room = WAITQ_INIT_RANK(room, LOCK_CONDITION);

/* Which queue: packets of a connection stay in order. */
static unsigned int choose_queue(const struct interface *ni, const char *frame, unsigned int len)
{
    unsigned int queues = ni->dev->features.queues;
    uint32_t ports;

    if (queues <= 1 || len < 14 + IP_HLEN + 4)
        return 0;
    memcpy(&ports, frame + 14 + (frame[12] == 8 ? IP_HLEN : len >= 58 ? IP6_HLEN : 0), 4);
    return (ports * 2654435761u >> 16) % queues;
}

err_t interface_send(struct netif *netif, struct pbuf *p)
{
    struct interface *ni = netif->state;
    struct netdev_packet packet;
    unsigned int queue;
    char *frame;
    int rc;

    if (!ni->up || !ni->dev)
        return ERR_IF;
    if (ni->blocked)
        return ERR_WOULDBLOCK;
    if (!interface_make_packet(ni, &packet, p) || packet.nfrags == 0)
        return ERR_MEM;
    frame = (char *)netbuf_page(packet.frag[0].buf) + packet.frag[0].offset;
    interface_mark_checksum(ni, &packet, frame);
    if (p->gso_size && packet.len > netif->mtu + 14u) {
        packet.gso = frame[12] == 8 ? NETDEV_GSO_TCPV4 : NETDEV_GSO_TCPV6;
        packet.gso_size = p->gso_size;
    }
    if (frame[12] == 8 && frame[13] == 6)
        net_timers_expect_arp();
    queue = choose_queue(ni, frame, packet.frag[0].len);
    rc = ni->dev->ops->send(ni->dev, queue, &packet);
    if (rc == 0) {
        ni->unflushed |= 1UL << queue;
        ni->counters.packets_out++;
        ni->counters.bytes_out += packet.len;
        return ERR_OK;
    }
    interface_put_packet(&packet);
    if (rc == -XEN_EAGAIN) {
        ni->blocked = true;
        return ERR_WOULDBLOCK;
    }
    ni->counters.dropped++;
    return ERR_IF;
}

void net_netif_flush(void)
{
    for (struct interface *ni = net_interfaces; ni; ni = ni->next) {
        for (unsigned int queue = 0; ni->unflushed; queue++) {
            if (ni->unflushed & 1UL << queue)
                ni->dev->ops->flush(ni->dev, queue);
            ni->unflushed &= ~(1UL << queue);
        }
    }
}

void interface_wake_refused(void)
{
    waitq_wake_all(&room);
}

/* The queue has room again: whoever was refused tries again. */
void interface_tx_room(struct netdev *dev, unsigned int queue)
{
    struct interface *ni = dev->stack;
    struct tcp_pcb *pcb, *next;

    (void)queue;
    net_lock();
    ni->blocked = false;
    if (ni->filters_late)
        interface_filter_again(ni);
    for (pcb = tcp_active_pcbs; pcb && !ni->blocked; pcb = next) {
        next = pcb->next;
        if (pcb->unsent || pcb->flags & TF_ACK_NOW)
            tcp_output(pcb);
    }
    waitq_wake_all(&room);
    net_unlock();
}

int net_netif_await_room(uint64_t deadline_ns)
{
    int rc = net_sleep(&room, deadline_ns);

    return rc == -XEN_EINTR ? -EINTR : rc ? -EAGAIN : 0;
}

bool net_netif_cuts(const struct netif *netif, bool v6)
{
    const struct interface *ni = netif->state;

    if (netif == net_loopback)
        return true;
    return ni->dev && ni->dev->features.sg &&
           (v6 ? ni->dev->features.gso_tcpv6 : ni->dev->features.gso_tcpv4);
}

void net_netif_checksum_udp(struct netif *netif, bool by_lwip)
{
    const struct interface *ni = netif->state;

    if (netif == net_loopback)
        return;
    if (by_lwip || !(ni->dev && ni->dev->features.csum_ipv4 && ni->dev->features.csum_ipv6))
        netif->chksum_flags |= NETIF_CHECKSUM_GEN_UDP;
    else
        netif->chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_UDP;
}
