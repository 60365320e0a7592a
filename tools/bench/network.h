/* SPDX-License-Identifier: MIT
 *
 * What the two ends of the network benchmark say to each other: network.c in the domain that is
 * measured, network_client.c in dom0.
 *
 * A connection to NETWORK_PORT is one measurement: dom0 sends an order, the domain says that it is
 * ready by an empty result, does what it was told, and says what that cost.  Numbers are as the CPU
 * has them: both ends are on the same machine.
 */
#pragma once
#include <stdint.h>

#define NETWORK_PORT   7000
#define NETWORK_BUFFER (128 * 1024) /* bytes in one call of a stream; iperf's */
#define DATAGRAM_LEN   64
/* Datagrams between two answers, and how many may be on their way: no more than a Linux socket
 * takes, which counts a page and a half for each that netfront received. */
#define DATAGRAM_BURST  16
#define DATAGRAM_WINDOW 64

enum network_what {
    NETWORK_RECEIVE = 1, /* `count` bytes from dom0 */
    NETWORK_SEND,        /* `count` bytes to dom0 */
    NETWORK_ECHO,        /* `count` times a byte, and back */
    NETWORK_UDP_RECEIVE, /* `count` datagrams from dom0, whose socket says hello first */
    NETWORK_UDP_SEND,    /* `count` datagrams to dom0, after its hello */
    NETWORK_WAIT,        /* until dom0 sends a byte: what it does meanwhile is its own */
};

struct network_order {
    uint64_t what, count;
};

struct network_result {
    uint64_t own_ns; /* of the domain's vCPUs, from the order to the end */
    uint64_t error;  /* an errno; 0: done */
};
