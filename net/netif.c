/* SPDX-License-Identifier: MIT
 *
 * lwIP's interfaces over network devices: they come and go, their links are up or down, and they
 * have names and numbers.  Packets pass in transmit.c and receive.c.
 */
#include <stdio.h>
#include <string.h>
#include "lib/log.h"
#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "mm/kmem.h"
#include "netif/ethernet.h"
#include "net/core.h"
#include "net/interface.h"

struct interface *net_interfaces;
static struct xenolith_network gone; /* held: net lock; of interfaces that went */

static void device_link(struct netdev *dev, bool up)
{
    struct interface *ni = dev->stack;
    struct netif *netif = &ni->netif;
    uint16_t flags = NETIF_CHECKSUM_ENABLE_ALL;

    if (!ni)
        return;
    net_lock();
    ni->up = up;
    ni->blocked = false;
    ni->unflushed = 0;
    if (up) {
        netif->mtu = (u16_t)MIN(dev->features.mtu, 65535u);
        netif->mtu6 = netif->mtu;
        /* lwIP asks per interface, not per family: both or none. */
        if (dev->features.csum_ipv4 && dev->features.csum_ipv6)
            flags &= (u16_t) ~(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP);
        NETIF_SET_CHECKSUM_CTRL(netif, flags);
        netif_set_link_up(netif);
        interface_filter_again(ni);
    } else {
        netif_set_link_down(netif);
        interface_wake_refused();
    }
    net_configure(netif, ni->number, up);
    net_unlock();
}

static err_t netif_prepare(struct netif *netif)
{
    struct interface *ni = netif->state;

    netif->name[0] = 'e';
    netif->name[1] = 'n';
    memcpy(netif->hwaddr, ni->dev->mac, 6);
    netif->hwaddr_len = 6;
    netif->mtu = 1500;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = interface_send;
    netif->hostname = "xenolith";
    return ERR_OK;
}

static unsigned int free_number(void)
{
    unsigned int number = 0;

    for (struct interface *ni = net_interfaces; ni;) {
        if (ni->number == number) {
            number++;
            ni = net_interfaces;
        } else {
            ni = ni->next;
        }
    }
    return number;
}

static void device_added(struct netdev *dev)
{
    struct interface *ni = kmem_alloc(sizeof(*ni));

    if (!ni) {
        log_error("%s: no memory for an interface", dev->name);
        return;
    }
    ni->dev = dev;
    net_lock();
    ni->number = free_number();
    netif_add_noaddr(&ni->netif, ni, netif_prepare, ethernet_input);
    interface_prepare_filters(&ni->netif);
    netif_create_ip6_linklocal_address(&ni->netif, 1);
    netif_set_ip6_autoconfig_enabled(&ni->netif, 1);
    if (!netif_default || netif_default == net_loopback)
        netif_set_default(&ni->netif);
    netif_set_up(&ni->netif);
    ni->next = net_interfaces;
    net_interfaces = ni;
    dev->stack = ni;
    dev->filter_multicast = true;
    dev->receive = interface_receive;
    dev->batch_end = interface_end_batch;
    dev->tx_room = interface_tx_room;
    dev->link = device_link;
    net_unlock();
}

static void count(struct xenolith_network *sum, const struct xenolith_network *more)
{
    sum->packets_in += more->packets_in;
    sum->bytes_in += more->bytes_in;
    sum->packets_out += more->packets_out;
    sum->bytes_out += more->bytes_out;
    sum->dropped += more->dropped;
}

static void device_removed(struct netdev *dev)
{
    struct interface *ni = dev->stack, **at = &net_interfaces;

    dev->stack = NULL;
    if (!ni)
        return;
    net_lock();
    net_configure(&ni->netif, ni->number, false);
    while (*at != ni)
        at = &(*at)->next;
    *at = ni->next;
    dhcp_cleanup(&ni->netif);
    netif_remove(&ni->netif);
    if (ni->netif.loop_first) /* multicasts of its own, chained */
        pbuf_free(ni->netif.loop_first);
    net_configure_forget(ni->number);
    if (!netif_default)
        netif_set_default(net_interfaces ? &net_interfaces->netif : NULL);
    if (ni->headers)
        netbuf_put(ni->headers);
    count(&gone, &ni->counters);
    interface_wake_refused();
    net_unlock();
    kmem_free(ni);
}

void net_netif_name(const struct netif *netif, char *name, size_t size)
{
    const struct interface *ni = netif->state;

    snprintf(name, size, "%s", netif == net_loopback ? "lo" : ni->dev->name);
}

struct netif *net_netif_find(const char *name)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        char own[16];

        net_netif_name(netif, own, sizeof(own));
        if (strcmp(own, name) == 0)
            return netif;
    }
    return NULL;
}

unsigned int net_netif_number(const struct netif *netif)
{
    return ((const struct interface *)netif->state)->number;
}

void xenolith_get_network(struct xenolith_network *network)
{
    net_lock();
    *network = gone;
    for (const struct interface *ni = net_interfaces; ni; ni = ni->next)
        count(network, &ni->counters);
    net_unlock();
}

void net_netif_start(void)
{
    static const struct netdev_listener listener = { device_added, device_removed };

    netdev_listen(&listener);
}
