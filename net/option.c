/* SPDX-License-Identifier: MIT
 *
 * Socket options, by level.  held: net lock
 */
#include <netinet/in.h>
#include "net/option.h"

int socket_get_option(struct socket *s, int level, int name, void *value, socklen_t *len)
{
    switch (level) {
    case SOL_SOCKET:
        return option_get_socket(s, name, value, len);
    case IPPROTO_TCP:
        return option_get_tcp(s, name, value, len);
    case IPPROTO_IP:
    case IPPROTO_IPV6:
        return option_get_ip(s, level, name, value, len);
    default:
        return -ENOPROTOOPT;
    }
}

int socket_set_option(struct socket *s, int level, int name, const void *value, socklen_t len)
{
    switch (level) {
    case SOL_SOCKET:
        return option_set_socket(s, name, value, len);
    case IPPROTO_TCP:
        return option_set_tcp(s, name, value, len);
    case IPPROTO_IP:
    case IPPROTO_IPV6:
        return option_set_ip(s, level, name, value, len);
    default:
        return -ENOPROTOOPT;
    }
}
