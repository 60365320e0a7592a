/* SPDX-License-Identifier: MIT
 *
 * <net/if.h>: interfaces by name and number, as lwIP numbers them.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include "lwip/netif.h"
#include "net/core.h"

unsigned int if_nametoindex(const char *name)
{
    unsigned int index;

    net_lock();
    index = netif_name_to_index(name);
    net_unlock();
    if (!index)
        errno = ENODEV;
    return index;
}

char *if_indextoname(unsigned int index, char *name)
{
    char *found;

    net_lock();
    found = index < 256 ? netif_index_to_name((u8_t)index, name) : NULL;
    net_unlock();
    if (!found)
        errno = ENXIO;
    return found;
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
            list[i].if_name = netif_index_to_name(netif_get_index(netif), names);
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
