/* SPDX-License-Identifier: MIT
 *
 * lwIP as this system has it: a library under one lock (net/core.h), called from any thread, with
 * its own timer thread, no mailboxes and no sequential API.  Made for throughput: large windows,
 * checksums by the other side, segments of up to 64 KiB (net/segment.c).
 */
#pragma once

/* --- the system --- */
#define NO_SYS                    1
#define SYS_LIGHTWEIGHT_PROT      0 /* everything under the one lock */
#define LWIP_NETCONN              0
#define LWIP_SOCKET               0
#define LWIP_TIMERS               0 /* net/timers.c */
#define LWIP_STATS                0
#define LWIP_ASSERT_CORE_LOCKED() net_assert_locked()
#ifndef DEBUG
#define LWIP_NOASSERT
#endif

/* --- memory: net/memory.c --- */
#define MEM_ALIGNMENT        8
#define MEM_CUSTOM_ALLOCATOR 1
#define MEM_CUSTOM_MALLOC    net_memory_alloc
#define MEM_CUSTOM_CALLOC    net_memory_calloc
#define MEM_CUSTOM_FREE      net_memory_free
/* netbuf: which the payload lies in, and a use of it (memp_free() ends that); NULL: in none.
 * gso_size: of a packet that leaves in pieces of so many bytes; else 0. net/segment.c */
#define LWIP_PBUF_CUSTOM_DATA                                                                      \
    struct netbuf *netbuf;                                                                         \
    u16_t gso_size;
#define LWIP_PBUF_CUSTOM_DATA_INIT(p) ((p)->netbuf = NULL, (p)->gso_size = 0)

/* At most so many of each; memory is taken as they are used. docs/PORTING.md, "Limits". */
#define MEMP_NUM_PBUF           60000
#define MEMP_NUM_RAW_PCB        64
#define MEMP_NUM_UDP_PCB        2048
#define MEMP_NUM_TCP_PCB        5000
#define MEMP_NUM_TCP_PCB_LISTEN 256
#define MEMP_NUM_TCP_SEG        60000
#define MEMP_NUM_REASSDATA      16
#define MEMP_NUM_FRAG_PBUF      1024
#define MEMP_NUM_ARP_QUEUE      256
#define MEMP_NUM_ND6_QUEUE      256
#define MEMP_NUM_IGMP_GROUP     64
#define MEMP_NUM_MLD6_GROUP     64
#define PBUF_POOL_SIZE          1024

/* --- link and IP --- */
#define LWIP_ARP                       1
#define ARP_TABLE_SIZE                 64
#define ARP_QUEUEING                   1
#define ARP_QUEUE_LEN                  16
#define ETHARP_SUPPORT_STATIC_ENTRIES  0
#define ETHARP_TABLE_MATCH_NETIF       1
#define LWIP_NETIF_HWADDRHINT          1
#define LWIP_NETIF_HOSTNAME            1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1
#define LWIP_NETIF_LOOPBACK            1
#define LWIP_HAVE_LOOPIF               1
#define LWIP_LOOPIF_MULTICAST          1
#define LWIP_LOOPBACK_MAX_PBUFS        0
#define LWIP_CHECKSUM_CTRL_PER_NETIF   1
#define LWIP_CHKSUM                    net_sum
#define LWIP_IPV4                      1
#define LWIP_IPV6                      1
#define LWIP_IPV6_NUM_ADDRESSES        4
#define IPV6_FRAG_COPYHEADER           1 /* what lwIP notes over a fragment's header has pointers */
#define LWIP_ND6_QUEUEING              1
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 2
#define LWIP_ND6_NUM_NEIGHBORS         64
#define LWIP_ND6_NUM_DESTINATIONS      64
#define IP_FORWARD                     0
#define IP_REASS_MAX_PBUFS             400
#define IP_SOF_BROADCAST               1
#define IP_SOF_BROADCAST_RECV          1
#define LWIP_IGMP                      1
#define LWIP_IPV6_MLD                  1
#define LWIP_MULTICAST_TX_OPTIONS      1
#define LWIP_RAW                       1
#define LWIP_DHCP                      1
#define LWIP_DHCP_DOES_ACD_CHECK       0
#define LWIP_DHCP_MAX_DNS_SERVERS      2
#define LWIP_DNS                       1
#define DNS_MAX_SERVERS                4
#define DNS_TABLE_SIZE                 16
#define DNS_MAX_NAME_LENGTH            256

/* --- transport --- */
#define LWIP_UDP                   1
#define LWIP_TCP                   1
#define SO_REUSE                   1
#define SO_REUSE_RXTOALL           1
#define LWIP_TCP_KEEPALIVE         1
#define TCP_LISTEN_BACKLOG         1
#define TCP_DEFAULT_LISTEN_BACKLOG 255
/* What a segment on the wire may carry at most: a jumbo frame, or the loopback. */
#define TCP_MSS                  9176
#define LWIP_WND_SCALE           1
#define TCP_RCV_SCALE            5
#define TCP_WND                  (1024 * 1024)
#define TCP_SND_BUF              (512 * 1024)
#define TCP_SND_QUEUELEN         4000
#define TCP_SNDLOWAT             (16 * 1024)
#define TCP_WND_UPDATE_THRESHOLD (TCP_WND / 4)
#define TCP_OVERSIZE             0
#define TCP_QUEUE_OOSEQ          1
#define LWIP_TCP_SACK_OUT        1
#define LWIP_TCP_MAX_SACK_NUM    4
#define TCP_MSL                  30000UL
#define LWIP_TCP_RTO_TIME        1000
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port)                            \
    net_tcp_first_sequence(local_ip, local_port, remote_ip, remote_port)
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, optlen, opt1len, opt2, p)                          \
    net_tcp_admit(pcb, header, p)
#define LWIP_HOOK_FILENAME "arch/cc.h"
