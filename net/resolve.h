/* SPDX-License-Identifier: MIT
 *
 * Between net/resolve.c and net/netdb.c.  Net lock not held.
 */
#pragma once
#include "lwip/ip_addr.h"
#include "lib/types.h"

/* A number, or "localhost". False: a name. */
bool resolve_local(const char *name, bool v6, ip_addr_t *answer);
/* Ask a server. 0 or EAI_*. */
int resolve_by_dns(const char *name, bool v6, ip_addr_t *answer);
