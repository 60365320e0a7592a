/* SPDX-License-Identifier: MIT
 *
 * Between net/resolve.c and net/netdb.c.  Net lock not held, unless it says so.
 */
#pragma once
#include "lwip/ip_addr.h"
#include "lib/types.h"

/* A number, or "localhost". False: a name. */
bool resolve_local(const char *name, bool v6, ip_addr_t *answer);
/* Is there a question that no server has answered? held: net lock */
bool resolve_is_asking(void);
/* Ask a server. 0 or EAI_*. */
int resolve_by_dns(const char *name, bool v6, ip_addr_t *answer);
