/* SPDX-License-Identifier: MIT
 *
 * <net/if.h>: network interfaces by name and number.
 */
#ifndef _NET_IF_H
#define _NET_IF_H

#ifdef __cplusplus
extern "C" {
#endif

#define IF_NAMESIZE 16
#define IFNAMSIZ    IF_NAMESIZE

struct if_nameindex {
    unsigned int if_index;
    char *if_name;
};

unsigned int if_nametoindex(const char *);
char *if_indextoname(unsigned int, char *);
struct if_nameindex *if_nameindex(void); /* ends with index 0 */
void if_freenameindex(struct if_nameindex *);

#ifdef __cplusplus
}
#endif

#endif
