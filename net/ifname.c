/* SPDX-License-Identifier: MIT
 *
 * <net/if.h>: interfaces by name and number: devices have theirs, the loopback is "lo".
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include "lwip/netif.h"
#include "net/core.h"
#include "net/netif.h"

unsigned int if_nametoindex(const char *name)
{
    struct netif *netif;
    unsigned int index;

    net_lock();
    netif = net_netif_find(name);
    index = netif ? netif_get_index(netif) : 0;
    net_unlock();
    if (!index)
        errno = ENODEV;
    return index;
}

char *if_indextoname(unsigned int index, char *name)
{
    struct netif *found;

    net_lock();
    found = index < 256 ? netif_get_by_index((u8_t)index) : NULL;
    if (found)
        net_netif_name(found, name, IF_NAMESIZE);
    net_unlock();
    if (!found)
        errno = ENXIO;
    return found ? name : NULL;
}

struct if_nameindex *if_nameindex(void)
{
    struct if_nameindex *list;
    unsigned int count = 0, i = 0;
    struct netif *netif;
    char *names;

    net_lock();
    NETIF_FOREACH(netif)
    count++;
    list = calloc(count + 1, sizeof(*list) + IF_NAMESIZE);
    names = (char *)(list + count + 1);
    if (list) {
        NETIF_FOREACH(netif)
        {
            list[i].if_index = netif_get_index(netif);
            list[i].if_name = names;
            net_netif_name(netif, names, IF_NAMESIZE);
            names += IF_NAMESIZE;
            i++;
        }
    }
    net_unlock();
    if (!list)
        errno = ENOBUFS;
    return list;
}

void if_freenameindex(struct if_nameindex *list)
{
    free(list);
}
