/* SPDX-License-Identifier: MIT
 *
 * Addresses between <netinet/in.h> and lwIP.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "lwip/netif.h"
#include "net/socket.h"

const struct in6_addr in6addr_any = IN6ADDR_ANY_INIT;
const struct in6_addr in6addr_loopback = IN6ADDR_LOOPBACK_INIT;

static void from_in6(struct socket_name *name, const struct sockaddr_in6 *in6)
{
    const struct in6_addr *a = &in6->sin6_addr;

    name->port = ntohs(in6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(a)) {
        ip_addr_set_ip4_u32(&name->ip, a->s6_addr32[3]);
        return;
    }
    IP_ADDR6(&name->ip, a->s6_addr32[0], a->s6_addr32[1], a->s6_addr32[2], a->s6_addr32[3]);
    if (ip6_addr_has_scope(ip_2_ip6(&name->ip), IP6_UNKNOWN)) {
        name->scope = in6->sin6_scope_id;
        ip6_addr_set_zone(ip_2_ip6(&name->ip), (uint8_t)in6->sin6_scope_id);
    }
}

int socket_name_from(struct socket_name *name, const struct sockaddr *address, socklen_t len)
{
    const struct sockaddr_in *in = (const void *)address;

    *name = (struct socket_name){ .port = 0 };
    if (!address || len < sizeof(sa_family_t))
        return -EINVAL;
    if (address->sa_family == AF_INET && len >= sizeof(*in)) {
        ip_addr_set_ip4_u32(&name->ip, in->sin_addr.s_addr);
        name->port = ntohs(in->sin_port);
        return 0;
    }
    if (address->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        from_in6(name, (const void *)address);
        return 0;
    }
    return address->sa_family == AF_INET || address->sa_family == AF_INET6 ? -EINVAL
                                                                           : -EAFNOSUPPORT;
}

static void to_in6(const struct socket_name *name, struct sockaddr_in6 *in6)
{
    *in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(name->port) };
    if (IP_IS_V4_VAL(name->ip)) {
        if (ip_addr_get_ip4_u32(&name->ip) == 0)
            return;
        in6->sin6_addr.s6_addr32[2] = htonl(0xffff);
        in6->sin6_addr.s6_addr32[3] = ip_addr_get_ip4_u32(&name->ip);
        return;
    }
    memcpy(&in6->sin6_addr, ip_2_ip6(&name->ip)->addr, sizeof(in6->sin6_addr));
    in6->sin6_scope_id = ip6_addr_zone(ip_2_ip6(&name->ip));
}

void socket_name_to(const struct socket_name *name, int family, struct sockaddr *address,
                    socklen_t *len)
{
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } text;
    socklen_t size = sizeof(text.in6);

    if (!address || !len)
        return;
    if (family == AF_INET6) {
        to_in6(name, &text.in6);
    } else {
        text.in = (struct sockaddr_in){ .sin_family = AF_INET,
                                        .sin_port = htons(name->port),
                                        .sin_addr.s_addr = ip_addr_get_ip4_u32(&name->ip) };
        size = sizeof(text.in);
    }
    memcpy(address, &text, MIN(*len, size));
    *len = size;
}

int socket_name_fit(const struct socket *s, struct socket_name *name, bool own)
{
    bool v4 = IP_IS_V4_VAL(name->ip);

    if (s->family == AF_INET && !v4)
        return -EAFNOSUPPORT;
    if (s->family == AF_INET6 && v4 && s->v6only)
        return own ? -EINVAL : -ENETUNREACH;
    /* The one address of both families. */
    if (own && s->family == AF_INET6 && !v4 && !s->v6only && ip_addr_isany_val(name->ip))
        name->ip = *IP_ANY_TYPE;
    /* To nowhere is to ourselves, as elsewhere. */
    if (!own && ip_addr_isany_val(name->ip)) {
        if (v4)
            ip_addr_set_loopback(false, &name->ip);
        else
            ip_addr_set_loopback(true, &name->ip);
    }
    return 0;
}

uint8_t socket_ip_type(const struct socket *s)
{
    if (s->family == AF_INET)
        return IPADDR_TYPE_V4;
    return s->v6only ? IPADDR_TYPE_V6 : IPADDR_TYPE_ANY;
}
