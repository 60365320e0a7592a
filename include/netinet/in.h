/* SPDX-License-Identifier: MIT
 *
 * <netinet/in.h>: internet addresses, and the options of IP.
 */
#ifndef _NETINET_IN_H
#define _NETINET_IN_H

#include <machine/endian.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint16_t in_port_t;

struct in_addr {
    in_addr_t s_addr; /* network order */
};

struct in6_addr {
    union {
        uint8_t __u6_addr8[16];
        uint16_t __u6_addr16[8];
        uint32_t __u6_addr32[4];
    } __u6;
#define s6_addr   __u6.__u6_addr8
#define s6_addr16 __u6.__u6_addr16
#define s6_addr32 __u6.__u6_addr32
};

struct sockaddr_in {
    sa_family_t sin_family;
    in_port_t sin_port;
    struct in_addr sin_addr;
    unsigned char sin_zero[8];
};

struct sockaddr_in6 {
    sa_family_t sin6_family;
    in_port_t sin6_port;
    uint32_t sin6_flowinfo;
    struct in6_addr sin6_addr;
    uint32_t sin6_scope_id;
};

#define IPPROTO_IP      0
#define IPPROTO_ICMP    1
#define IPPROTO_IGMP    2
#define IPPROTO_TCP     6
#define IPPROTO_UDP     17
#define IPPROTO_IPV6    41
#define IPPROTO_ICMPV6  58
#define IPPROTO_RAW     255
#define IPPORT_RESERVED 1024

#define INADDR_ANY            ((in_addr_t)0x00000000)
#define INADDR_BROADCAST      ((in_addr_t)0xffffffff)
#define INADDR_NONE           ((in_addr_t)0xffffffff)
#define INADDR_LOOPBACK       ((in_addr_t)0x7f000001)
#define INADDR_ALLHOSTS_GROUP ((in_addr_t)0xe0000001)
#define INADDR_UNSPEC_GROUP   ((in_addr_t)0xe0000000)
#define INET_ADDRSTRLEN       16
#define INET6_ADDRSTRLEN      46
#define IN_CLASSD(a)          (((in_addr_t)(a)&0xf0000000) == 0xe0000000)
#define IN_MULTICAST(a)       IN_CLASSD(a)

/* clang-format off */
#define IN6ADDR_ANY_INIT      { { { 0 } } }
#define IN6ADDR_LOOPBACK_INIT { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } } }
/* clang-format on */
extern const struct in6_addr in6addr_any, in6addr_loopback;

#define __IN6_WORD(a, n) ((a)->__u6.__u6_addr32[n])
#define IN6_IS_ADDR_UNSPECIFIED(a)                                                                 \
    (!__IN6_WORD(a, 0) && !__IN6_WORD(a, 1) && !__IN6_WORD(a, 2) && !__IN6_WORD(a, 3))
#define IN6_IS_ADDR_LOOPBACK(a)                                                                    \
    (!__IN6_WORD(a, 0) && !__IN6_WORD(a, 1) && !__IN6_WORD(a, 2) && __IN6_WORD(a, 3) == __htonl(1))
#define IN6_IS_ADDR_MULTICAST(a) ((a)->s6_addr[0] == 0xff)
#define IN6_IS_ADDR_LINKLOCAL(a) ((a)->s6_addr[0] == 0xfe && ((a)->s6_addr[1] & 0xc0) == 0x80)
#define IN6_IS_ADDR_SITELOCAL(a) ((a)->s6_addr[0] == 0xfe && ((a)->s6_addr[1] & 0xc0) == 0xc0)
#define IN6_IS_ADDR_V4MAPPED(a)                                                                    \
    (!__IN6_WORD(a, 0) && !__IN6_WORD(a, 1) && __IN6_WORD(a, 2) == __htonl(0xffff))
#define IN6_ARE_ADDR_EQUAL(a, b) (__builtin_memcmp((a), (b), sizeof(struct in6_addr)) == 0)

#define IP_TOS             1
#define IP_TTL             2
#define IP_PKTINFO         8
#define IP_MULTICAST_IF    32
#define IP_MULTICAST_TTL   33
#define IP_MULTICAST_LOOP  34
#define IP_ADD_MEMBERSHIP  35
#define IP_DROP_MEMBERSHIP 36

#define IPV6_CHECKSUM        7
#define IPV6_UNICAST_HOPS    16
#define IPV6_MULTICAST_IF    17
#define IPV6_MULTICAST_HOPS  18
#define IPV6_MULTICAST_LOOP  19
#define IPV6_JOIN_GROUP      20
#define IPV6_LEAVE_GROUP     21
#define IPV6_V6ONLY          26
#define IPV6_TCLASS          67
#define IPV6_ADD_MEMBERSHIP  IPV6_JOIN_GROUP
#define IPV6_DROP_MEMBERSHIP IPV6_LEAVE_GROUP

#define IP_DEFAULT_MULTICAST_TTL  1
#define IP_DEFAULT_MULTICAST_LOOP 1

struct ip_mreq {
    struct in_addr imr_multiaddr, imr_interface;
};
struct ip_mreqn {
    struct in_addr imr_multiaddr, imr_address;
    int imr_ifindex;
};
struct ipv6_mreq {
    struct in6_addr ipv6mr_multiaddr;
    unsigned int ipv6mr_interface;
};
struct in_pktinfo {
    int ipi_ifindex;
    struct in_addr ipi_spec_dst, ipi_addr;
};

#ifndef htons
static __inline__ uint16_t htons(uint16_t __n)
{
    return __htons(__n);
}
static __inline__ uint32_t htonl(uint32_t __n)
{
    return __htonl(__n);
}
static __inline__ uint16_t ntohs(uint16_t __n)
{
    return __htons(__n);
}
static __inline__ uint32_t ntohl(uint32_t __n)
{
    return __htonl(__n);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
