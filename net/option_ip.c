/* SPDX-License-Identifier: MIT
 *
 * IPPROTO_IP and IPPROTO_IPV6: hops, classes, multicast.  held: net lock
 */
#include <netinet/in.h>
#include "lwip/netif.h"
#include "lwip/raw.h"
#include "lwip/udp.h"
#include "net/netif.h"
#include "net/option.h"

/* Where a datagram socket keeps an option of multicast: in one field for both families. */
static uint8_t *multicast_ttl(struct socket *s)
{
    if (option_of_stream(s) || !s->pcb)
        return NULL;
    return s->type == SOCK_RAW ? &s->raw->mcast_ttl : &s->udp->mcast_ttl;
}

static int set_multicast_if(struct socket *s, unsigned int index)
{
    if (s->type != SOCK_DGRAM)
        return -ENOPROTOOPT;
    if (index && !netif_get_by_index((u8_t)index))
        return -EADDRNOTAVAIL;
    udp_set_multicast_netif_index(s->udp, (u8_t)index);
    return 0;
}

static unsigned int interface_of(struct in_addr address)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        if (address.s_addr && ip4_addr_get_u32(netif_ip4_addr(netif)) == address.s_addr)
            return netif_get_index(netif);
    }
    return 0;
}

static int set_group_option(struct socket *s, int name, const void *value, socklen_t len)
{
    bool join = name == IP_ADD_MEMBERSHIP;
    const struct ip_mreqn *mreqn = value;
    unsigned int interface;
    ip_addr_t group;

    if (s->type != SOCK_DGRAM)
        return -ENOPROTOOPT;
    if (len < sizeof(struct ip_mreq))
        return -EINVAL;
    group = (ip_addr_t)IPADDR4_INIT(mreqn->imr_multiaddr.s_addr);
    interface = len >= sizeof(*mreqn) && mreqn->imr_ifindex ? (unsigned int)mreqn->imr_ifindex
                                                            : interface_of(mreqn->imr_address);
    return socket_group(s, &group, interface, join);
}

static int set_group6_option(struct socket *s, int name, const void *value, socklen_t len)
{
    const struct ipv6_mreq *mreq = value;
    const uint32_t *word;
    ip_addr_t group;

    if (s->type != SOCK_DGRAM)
        return -ENOPROTOOPT;
    if (len < sizeof(*mreq))
        return -EINVAL;
    word = mreq->ipv6mr_multiaddr.s6_addr32;
    group = (ip_addr_t)IPADDR6_INIT(word[0], word[1], word[2], word[3]);
    return socket_group(s, &group, mreq->ipv6mr_interface, name == IPV6_JOIN_GROUP);
}

/* Options whose value is an int or a char, as both families have them. */
enum common { HOPS, CLASS, MULTICAST_HOPS, MULTICAST_LOOP, MULTICAST_IF, NOT_COMMON };

static enum common common_of(int level, int name)
{
    bool v6 = level == IPPROTO_IPV6;

    if (name == (v6 ? IPV6_UNICAST_HOPS : IP_TTL))
        return HOPS;
    if (name == (v6 ? IPV6_TCLASS : IP_TOS))
        return CLASS;
    if (name == (v6 ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL))
        return MULTICAST_HOPS;
    if (name == (v6 ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP))
        return MULTICAST_LOOP;
    return v6 && name == IPV6_MULTICAST_IF ? MULTICAST_IF : NOT_COMMON;
}

static int get_common(struct socket *s, enum common option)
{
    switch (option) {
    case HOPS:
        return option_ip_pcb(s)->ttl;
    case CLASS:
        return option_ip_pcb(s)->tos;
    case MULTICAST_HOPS:
        return multicast_ttl(s) ? *multicast_ttl(s) : 1;
    case MULTICAST_LOOP:
        return s->type != SOCK_DGRAM || (udp_flags(s->udp) & UDP_FLAGS_MULTICAST_LOOP) != 0;
    default:
        return s->type == SOCK_DGRAM ? udp_get_multicast_netif_index(s->udp) : 0;
    }
}

static int set_common(struct socket *s, enum common option, int number)
{
    if (option == MULTICAST_IF)
        return set_multicast_if(s, (unsigned int)number);
    if (number == -1 && option != CLASS)
        number = option == MULTICAST_HOPS ? 1 : 64; /* the default */
    if (number < 0 || number > 255)
        return -EINVAL;
    switch (option) {
    case HOPS:
        option_ip_pcb(s)->ttl = (u8_t)number;
        return 0;
    case CLASS:
        option_ip_pcb(s)->tos = (u8_t)number;
        return 0;
    case MULTICAST_HOPS:
        if (!multicast_ttl(s))
            return -ENOPROTOOPT;
        *multicast_ttl(s) = (u8_t)number;
        return 0;
    default:
        if (s->type != SOCK_DGRAM)
            return -ENOPROTOOPT;
        udp_setflags(s->udp, (u8_t)(number ? udp_flags(s->udp) | UDP_FLAGS_MULTICAST_LOOP
                                           : udp_flags(s->udp) & ~UDP_FLAGS_MULTICAST_LOOP));
        return 0;
    }
}

int option_get_ip(struct socket *s, int level, int name, void *value, socklen_t *len)
{
    enum common option = common_of(level, name);

    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
        return option_give_int(value, len, s->v6only);
    if (level == IPPROTO_IP && name == IP_PKTINFO)
        return option_give_int(value, len, s->pktinfo);
    if (option == NOT_COMMON)
        return -ENOPROTOOPT;
    return s->pcb ? option_give_int(value, len, get_common(s, option)) : -EINVAL;
}

/* Before bind(): lwIP's control block is told. */
static int set_v6only(struct socket *s, bool only)
{
    if (s->family != AF_INET6 || s->bound || !s->pcb)
        return -EINVAL;
    s->v6only = only || s->type == SOCK_RAW;
    IP_SET_TYPE_VAL(option_ip_pcb(s)->local_ip, socket_ip_type(s));
    IP_SET_TYPE_VAL(option_ip_pcb(s)->remote_ip, socket_ip_type(s));
    return 0;
}

int option_set_ip(struct socket *s, int level, int name, const void *value, socklen_t len)
{
    enum common option = common_of(level, name);
    int number = 0;

    if (level == IPPROTO_IP && (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP))
        return set_group_option(s, name, value, len);
    if (level == IPPROTO_IPV6 && (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP))
        return set_group6_option(s, name, value, len);
    if (level == IPPROTO_IP && name == IP_MULTICAST_IF && len >= sizeof(struct in_addr)) {
        const struct ip_mreqn *mreqn = value;

        if (len >= sizeof(*mreqn))
            return set_multicast_if(s, (unsigned int)mreqn->imr_ifindex);
        return set_multicast_if(s, interface_of(*(const struct in_addr *)value));
    }
    if (len >= sizeof(number))
        number = *(const int *)value;
    else if (len == 1)
        number = *(const unsigned char *)value;
    else
        return -EINVAL;
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
        return set_v6only(s, number != 0);
    if (level == IPPROTO_IP && name == IP_PKTINFO) {
        s->pktinfo = number != 0;
        return 0;
    }
    if (option == NOT_COMMON)
        return -ENOPROTOOPT;
    return s->pcb ? set_common(s, option, number) : -EINVAL;
}
