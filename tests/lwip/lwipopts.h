/* SPDX-License-Identifier: MIT
 *
 * net/lwip/lwipopts.h for lwIP's own unit tests on the host: our configuration, except where the
 * tests count what lwIP allocates, or are written for sizes that are lwIP's defaults.
 */
#pragma once
#include "net/lwip/lwipopts.h"

/* They test timeouts.c, which we do without. */
#undef LWIP_TIMERS
#define LWIP_TIMERS          1
#define MEMP_NUM_SYS_TIMEOUT 64

/* The tests check what is allocated: lwIP's own memory, counted, and its assertions. */
#undef LWIP_NOASSERT
#undef LWIP_ASSERT_CORE_LOCKED
#define LWIP_ASSERT_CORE_LOCKED()
#undef LWIP_STATS
#define LWIP_STATS    1
#define MIB2_STATS    1
#define LWIP_TESTMODE 1
#undef MEM_CUSTOM_ALLOCATOR
#define MEM_SIZE (4 << 20)
#define LWIP_MEM_ILLEGAL_FREE(message)
#undef LWIP_PBUF_CUSTOM_DATA
#undef LWIP_PBUF_CUSTOM_DATA_INIT
#undef LWIP_HOOK_TCP_ISN
#undef LWIP_HOOK_TCP_INPACKET_PCB
#undef LWIP_HOOK_FILENAME
#undef PBUF_POOL_SIZE
#define PBUF_POOL_SIZE 400

/* They count segments of 536 bytes in windows of ten. */
#undef TCP_MSS
#define TCP_MSS 536
#undef TCP_WND
#define TCP_WND (10 * TCP_MSS)
#undef TCP_RCV_SCALE
#define TCP_RCV_SCALE 0
#undef TCP_SND_BUF
#define TCP_SND_BUF (12 * TCP_MSS)
#undef TCP_SNDLOWAT
#undef TCP_WND_UPDATE_THRESHOLD
#undef TCP_SND_QUEUELEN
#define TCP_SND_QUEUELEN 40
#undef MEMP_NUM_TCP_SEG
#define MEMP_NUM_TCP_SEG TCP_SND_QUEUELEN
#undef LWIP_TCP_RTO_TIME

/* They ask for what we do without, or for each message to be given to one receiver. */
#undef ETHARP_SUPPORT_STATIC_ENTRIES
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#undef LWIP_DHCP_DOES_ACD_CHECK
#define LWIP_DHCP_DOES_ACD_CHECK 1
#undef LWIP_LOOPIF_MULTICAST
#undef IP_SOF_BROADCAST_RECV
#undef SO_REUSE_RXTOALL
#define SO_REUSE_RXTOALL           0
#define LWIP_DNS_SECURE            (LWIP_DNS_SECURE_RAND_XID | LWIP_DNS_SECURE_RAND_SRC_PORT)
#define LWIP_MDNS_RESPONDER        1
#define LWIP_NUM_NETIF_CLIENT_DATA 1
