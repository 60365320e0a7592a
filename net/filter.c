/* SPDX-License-Identifier: MIT
 *
 * Which multicast addresses a device lets through, as lwIP joins and leaves groups.
 */
#include "lwip/igmp.h"
#include "lwip/mld6.h"
#include "net/interface.h"

static void filter(struct interface *ni, const uint8_t mac[6], bool join)
{
    int rc = 0;

    if (ni->up && ni->dev->features.multicast_control)
        rc = ni->dev->ops->multicast(ni->dev, mac, join);
    if (rc == -XEN_EAGAIN && join)
        ni->filters_late = true; /* until interface_tx_room() */
}

static err_t filter_v4(struct netif *netif, const ip4_addr_t *group,
                       enum netif_mac_filter_action action)
{
    const uint8_t mac[6] = {
        0x01, 0x00, 0x5e, ip4_addr2(group) & 0x7f, ip4_addr3(group), ip4_addr4(group)
    };

    filter(netif->state, mac, action == NETIF_ADD_MAC_FILTER);
    return ERR_OK;
}

static err_t filter_v6(struct netif *netif, const ip6_addr_t *group,
                       enum netif_mac_filter_action action)
{
    const uint8_t *last = (const uint8_t *)&group->addr[3];
    const uint8_t mac[6] = { 0x33, 0x33, last[0], last[1], last[2], last[3] };

    filter(netif->state, mac, action == NETIF_ADD_MAC_FILTER);
    return ERR_OK;
}

void interface_filter_again(struct interface *ni)
{
    static const uint8_t all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 }; /* of IPv6: nobody joins it */

    ni->filters_late = false;
    filter(ni, all_nodes, true);
    for (struct igmp_group *g = netif_igmp_data(&ni->netif); g; g = g->next)
        filter_v4(&ni->netif, &g->group_address, NETIF_ADD_MAC_FILTER);
    for (struct mld_group *g = netif_mld6_data(&ni->netif); g; g = g->next)
        filter_v6(&ni->netif, &g->group_address, NETIF_ADD_MAC_FILTER);
}

void interface_prepare_filters(struct netif *netif)
{
    netif_set_igmp_mac_filter(netif, filter_v4);
    netif_set_mld_mac_filter(netif, filter_v6);
}
