/* SPDX-License-Identifier: MIT
 *
 * Which multicast groups a socket is in: it leaves them when it is closed.  held: net lock
 */
#include <errno.h>
#include "lwip/igmp.h"
#include "lwip/ip.h"
#include "lwip/mld6.h"
#include "lwip/netif.h"
#include "mm/kmem.h"
#include "net/socket.h"

struct membership {
    struct membership *next;
    ip_addr_t group;
    uint8_t interface;
};

static int tell_lwip(const ip_addr_t *group, struct netif *netif, bool join)
{
    err_t err;

    if (IP_IS_V6(group))
        err = join ? mld6_joingroup_netif(netif, ip_2_ip6(group))
                   : mld6_leavegroup_netif(netif, ip_2_ip6(group));
    else
        err = join ? igmp_joingroup_netif(netif, ip_2_ip4(group))
                   : igmp_leavegroup_netif(netif, ip_2_ip4(group));
    return socket_errno(err);
}

static struct netif *interface_for(const ip_addr_t *group, unsigned int interface)
{
    struct netif *netif;

    if (interface)
        return netif_get_by_index((u8_t)interface);
    netif = ip_route(IP_IS_V6(group) ? IP6_ADDR_ANY : IP4_ADDR_ANY, group);
    return netif ? netif : netif_default ? netif_default : net_loopback;
}

static int join_group(struct socket *s, const ip_addr_t *group, struct netif *netif)
{
    struct membership *m = kmem_alloc(sizeof(*m));
    int rc = m ? tell_lwip(group, netif, true) : -ENOMEM;

    if (rc) {
        kmem_free(m);
        return rc;
    }
    *m = (struct membership){ s->memberships, *group, netif_get_index(netif) };
    s->memberships = m;
    return 0;
}

int socket_group(struct socket *s, const ip_addr_t *group, unsigned int interface, bool join)
{
    struct netif *netif = interface_for(group, interface);
    struct membership **at = &s->memberships, *m;

    if (!ip_addr_ismulticast(group))
        return -EINVAL;
    if (!netif)
        return -ENODEV;
    while (*at && !(ip_addr_eq(&(*at)->group, group) && (*at)->interface == netif_get_index(netif)))
        at = &(*at)->next;
    if (join)
        return *at ? -EADDRINUSE : join_group(s, group, netif);
    m = *at;
    if (!m)
        return -EADDRNOTAVAIL;
    *at = m->next;
    kmem_free(m);
    return tell_lwip(group, netif, false);
}

void socket_leave_groups(struct socket *s)
{
    struct membership *m;

    while ((m = s->memberships)) {
        struct netif *netif = netif_get_by_index(m->interface);

        if (netif)
            tell_lwip(&m->group, netif, false);
        s->memberships = m->next;
        kmem_free(m);
    }
}
