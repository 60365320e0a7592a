/* SPDX-License-Identifier: MIT
 *
 * Socket options.  held: net lock
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <net/if.h>
#include <string.h>
#include <sys/time.h>
#include "kernel/time.h"
#include "lwip/netif.h"
#include "lwip/raw.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"
#include "net/netif.h"
#include "net/socket.h"

static bool is_stream(const struct socket *s)
{
    return s->type == SOCK_STREAM;
}

static bool is_listener(const struct socket *s)
{
    return s->state == SOCKET_LISTENING;
}

static struct ip_pcb *ip_of(struct socket *s)
{
    return s->pcb;
}

/* --- values --- */

static int give(void *value, socklen_t *len, const void *from, socklen_t size)
{
    memcpy(value, from, MIN(*len, size));
    *len = MIN(*len, size);
    return 0;
}

static int give_int(void *value, socklen_t *len, int number)
{
    return give(value, len, &number, sizeof(number));
}

static int give_timeout(void *value, socklen_t *len, uint64_t ns)
{
    struct timeval time = { (time_t)(ns / NS_PER_S), (suseconds_t)(ns % NS_PER_S / NS_PER_US) };

    return give(value, len, &time, sizeof(time));
}

static int take_timeout(uint64_t *ns, const void *value, socklen_t len)
{
    const struct timeval *time = value;

    if (len < sizeof(*time) || time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= 1000000)
        return -EINVAL;
    *ns = (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_usec * NS_PER_US;
    return 0;
}

/* --- SOL_SOCKET --- */

/* lwIP's flag for an option; 0: it is none. */
static uint8_t flag_of(int name)
{
    switch (name) {
    case SO_REUSEADDR:
    case SO_REUSEPORT:
        return SOF_REUSEADDR;
    case SO_KEEPALIVE:
        return SOF_KEEPALIVE;
    case SO_BROADCAST:
        return SOF_BROADCAST;
    default:
        return 0;
    }
}

static int get_socket_option(struct socket *s, int name, void *value, socklen_t *len)
{
    if (flag_of(name))
        return give_int(value, len, s->pcb && ip_of(s)->so_options & flag_of(name) ? 1 : 0);
    switch (name) {
    case SO_TYPE:
        return give_int(value, len, s->type);
    case SO_DOMAIN:
        return give_int(value, len, s->family);
    case SO_PROTOCOL:
        return give_int(value, len, s->protocol);
    case SO_ERROR:
        return give_int(value, len, -socket_take_error(s));
    case SO_ACCEPTCONN:
        return give_int(value, len, is_listener(s));
    case SO_SNDBUF:
        return give_int(value, len, is_stream(s) ? TCP_SND_BUF : 65507);
    case SO_RCVBUF:
        return give_int(value, len, is_stream(s) ? TCP_WND : (int)s->receive_limit);
    case SO_LINGER:
        return give(value, len, &s->linger, sizeof(s->linger));
    case SO_RCVTIMEO:
        return give_timeout(value, len, s->receive_timeout_ns);
    case SO_SNDTIMEO:
        return give_timeout(value, len, s->send_timeout_ns);
    case SO_RCVLOWAT:
    case SO_SNDLOWAT:
        return give_int(value, len, 1);
    case SO_OOBINLINE:
    case SO_DONTROUTE:
    case SO_DEBUG:
        return give_int(value, len, 0);
    default:
        return -ENOPROTOOPT;
    }
}

static int bind_to_device(struct socket *s, const char *name, socklen_t len)
{
    char text[IF_NAMESIZE] = "";
    struct netif *netif;

    memcpy(text, name, MIN(len, sizeof(text) - 1));
    netif = text[0] ? net_netif_find(text) : NULL;
    if (text[0] && !netif)
        return -ENODEV;
    if (!s->pcb)
        return -EINVAL;
    ip_of(s)->netif_idx = netif ? netif_get_index(netif) : NETIF_NO_INDEX;
    return 0;
}

static int set_socket_option(struct socket *s, int name, const void *value, socklen_t len)
{
    const int *number = value;

    switch (name) {
    case SO_RCVTIMEO:
        return take_timeout(&s->receive_timeout_ns, value, len);
    case SO_SNDTIMEO:
        return take_timeout(&s->send_timeout_ns, value, len);
    case SO_LINGER:
        if (len < sizeof(s->linger))
            return -EINVAL;
        s->linger = *(const struct linger *)value;
        return 0;
    case SO_BINDTODEVICE:
        return bind_to_device(s, value, len);
    default:
        break;
    }
    if (len < sizeof(*number))
        return -EINVAL;
    if (flag_of(name)) {
        if (s->pcb && *number)
            ip_of(s)->so_options |= flag_of(name);
        else if (s->pcb)
            ip_of(s)->so_options &= (u8_t)~flag_of(name);
        return 0;
    }
    switch (name) {
    case SO_RCVBUF: /* of a stream: the window is lwIP's, for all alike */
        if (*number <= 0)
            return -EINVAL;
        s->receive_limit = MIN(MAX((unsigned int)*number, 2048), 16u << 20);
        return 0;
    case SO_SNDBUF:
    case SO_RCVLOWAT:
    case SO_SNDLOWAT:
    case SO_OOBINLINE:
    case SO_DONTROUTE:
    case SO_DEBUG:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* --- IPPROTO_TCP --- */

static int get_tcp_option(struct socket *s, int name, void *value, socklen_t *len)
{
    const struct tcp_pcb *pcb = s->tcp;

    if (!is_stream(s))
        return -ENOPROTOOPT;
    if (!pcb || is_listener(s))
        return name == TCP_NODELAY ? give_int(value, len, s->nodelay) : -EINVAL;
    switch (name) {
    case TCP_NODELAY:
        return give_int(value, len, tcp_nagle_disabled(pcb) ? 1 : 0);
    case TCP_MAXSEG:
        return give_int(value, len, pcb->mss);
    case TCP_KEEPIDLE:
        return give_int(value, len, (int)(pcb->keep_idle / 1000));
    case TCP_KEEPINTVL:
        return give_int(value, len, (int)(pcb->keep_intvl / 1000));
    case TCP_KEEPCNT:
        return give_int(value, len, (int)pcb->keep_cnt);
    case TCP_CORK:
    case TCP_QUICKACK:
        return give_int(value, len, 0);
    default:
        return -ENOPROTOOPT;
    }
}

static int set_tcp_option(struct socket *s, int name, const void *value, socklen_t len)
{
    struct tcp_pcb *pcb = s->tcp;
    int number;

    if (!is_stream(s))
        return -ENOPROTOOPT;
    if (len < sizeof(number))
        return -EINVAL;
    number = *(const int *)value;
    if (name == TCP_NODELAY)
        s->nodelay = number != 0;
    if (!pcb || is_listener(s))
        return name == TCP_NODELAY ? 0 : -EINVAL;
    switch (name) {
    case TCP_NODELAY:
        if (number) {
            tcp_nagle_disable(pcb);
            if (s->state == SOCKET_CONNECTED)
                tcp_output(pcb);
        } else {
            tcp_nagle_enable(pcb);
        }
        return 0;
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
        if (number < 1 || number > 32767)
            return -EINVAL;
        *(name == TCP_KEEPIDLE ? &pcb->keep_idle : &pcb->keep_intvl) = (u32_t)number * 1000;
        return 0;
    case TCP_KEEPCNT:
        if (number < 1 || number > 127)
            return -EINVAL;
        pcb->keep_cnt = (u32_t)number;
        return 0;
    case TCP_MAXSEG:
    case TCP_CORK:
    case TCP_QUICKACK:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* --- IPPROTO_IP, IPPROTO_IPV6 --- */

/* Where a datagram socket keeps an option of multicast: in one field for both families. */
static uint8_t *multicast_ttl(struct socket *s)
{
    if (is_stream(s) || !s->pcb)
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
        return ip_of(s)->ttl;
    case CLASS:
        return ip_of(s)->tos;
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
        ip_of(s)->ttl = (u8_t)number;
        return 0;
    case CLASS:
        ip_of(s)->tos = (u8_t)number;
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

static int get_ip_option(struct socket *s, int level, int name, void *value, socklen_t *len)
{
    enum common option = common_of(level, name);

    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
        return give_int(value, len, s->v6only);
    if (level == IPPROTO_IP && name == IP_PKTINFO)
        return give_int(value, len, s->pktinfo);
    if (option == NOT_COMMON)
        return -ENOPROTOOPT;
    return s->pcb ? give_int(value, len, get_common(s, option)) : -EINVAL;
}

/* Before bind(): lwIP's control block is told. */
static int set_v6only(struct socket *s, bool only)
{
    if (s->family != AF_INET6 || s->bound || !s->pcb)
        return -EINVAL;
    s->v6only = only || s->type == SOCK_RAW;
    IP_SET_TYPE_VAL(ip_of(s)->local_ip, socket_ip_type(s));
    IP_SET_TYPE_VAL(ip_of(s)->remote_ip, socket_ip_type(s));
    return 0;
}

static int set_ip_option(struct socket *s, int level, int name, const void *value, socklen_t len)
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

int socket_get_option(struct socket *s, int level, int name, void *value, socklen_t *len)
{
    switch (level) {
    case SOL_SOCKET:
        return get_socket_option(s, name, value, len);
    case IPPROTO_TCP:
        return get_tcp_option(s, name, value, len);
    case IPPROTO_IP:
    case IPPROTO_IPV6:
        return get_ip_option(s, level, name, value, len);
    default:
        return -ENOPROTOOPT;
    }
}

int socket_set_option(struct socket *s, int level, int name, const void *value, socklen_t len)
{
    switch (level) {
    case SOL_SOCKET:
        return set_socket_option(s, name, value, len);
    case IPPROTO_TCP:
        return set_tcp_option(s, name, value, len);
    case IPPROTO_IP:
    case IPPROTO_IPV6:
        return set_ip_option(s, level, name, value, len);
    default:
        return -ENOPROTOOPT;
    }
}
