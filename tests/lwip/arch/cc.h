/* SPDX-License-Identifier: MIT
 *
 * The host as lwIP's unit tests want it.
 */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern uint32_t lwip_sys_now; /* the tests' clock */
unsigned int lwip_port_rand(void);
uint16_t net_sum(const void *data, int len); /* net/bytes.c, as in net/lwip/arch/cc.h */
#define LWIP_RAND() lwip_port_rand()
#define LWIP_PLATFORM_ASSERT(message)                                                              \
    do {                                                                                           \
        printf("%s:%d: %s\n", __FILE__, __LINE__, message);                                        \
        fflush(NULL);                                                                              \
        abort();                                                                                   \
    } while (0)
