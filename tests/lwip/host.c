/* SPDX-License-Identifier: MIT
 *
 * What lwIP's unit tests need of a system without threads, and the two suites that are not for us.
 */
#include "lwip/opt.h"
#include "lwip/netif.h"
#include "lwip_check.h"

uint32_t lwip_sys_now;

u32_t sys_now(void)
{
    return lwip_sys_now;
}

void tcpip_thread_poll_one(void)
{
    netif_poll_all();
}

/* lwIP's socket layer and PPP: neither is in our images. */
Suite *sockets_suite(void)
{
    return suite_create("SOCKETS");
}

Suite *pppos_suite(void)
{
    return suite_create("PPPOS");
}
