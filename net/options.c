/* SPDX-License-Identifier: MIT
 *
 * What -ip=, -net-memory= and -net-connections= say.
 */
#include "net/options.h"
#include <stdlib.h>
#include <string.h>
#include "lib/cmdline.h"
#include "lwip/memp.h"
#include "net/budget.h"
#include "net/memory.h"

#define OPTIONS_MAX 16

static struct net_option options[OPTIONS_MAX];
static unsigned int count;

const struct net_option *net_option(unsigned int number)
{
    return number < count ? &options[number] : NULL;
}

/* The next part of a list with commas, copied; *at goes behind it. False: the end, or too long. */
static bool next_part(const char **at, char *part, size_t size)
{
    size_t len = strcspn(*at, ",");

    if (!**at || len >= size)
        return false;
    memcpy(part, *at, len);
    part[len] = '\0';
    *at += len + ((*at)[len] == ',');
    return true;
}

static bool parse_address(struct net_option *option, char *text)
{
    char *slash = strchr(text, '/'), *end = "";
    unsigned long bits = 24;

    if (slash) {
        *slash = '\0';
        bits = strtoul(slash + 1, &end, 10);
        if (end == slash + 1)
            return false;
    }
    if (*end || !ipaddr_aton(text, &option->address))
        return false;
    option->prefix = (unsigned int)(slash ? bits : IP_IS_V6_VAL(option->address) ? 64 : 24);
    return bits <= (IP_IS_V6_VAL(option->address) ? 128 : 32);
}

static bool parse(struct net_option *option, const char *value)
{
    unsigned int servers = 0;
    char part[64];

    if (!next_part(&value, part, sizeof(part)) || !parse_address(option, part))
        return false;
    option->set = true;
    while (next_part(&value, part, sizeof(part))) {
        if (strncmp(part, "gw=", 3) == 0) {
            if (!ipaddr_aton(part + 3, &option->gateway))
                return false;
        } else if (strncmp(part, "dns=", 4) == 0 && servers < NET_OPTION_DNS) {
            if (!ipaddr_aton(part + 4, &option->dns[servers++]))
                return false;
        } else {
            return false;
        }
    }
    return !*value;
}

static int set_ip(const char *value)
{
    struct net_option *option = &options[count];

    if (!value || count == OPTIONS_MAX)
        return -XEN_EINVAL;
    if (strcmp(value, "dhcp") != 0 && !parse(option, value)) {
        *option = (struct net_option){ .set = false };
        return -XEN_EINVAL;
    }
    count++;
    return 0;
}

/* From 1 to `max`. */
static int parse_number(const char *value, unsigned long max, unsigned int *number)
{
    char *end;
    unsigned long n = value ? strtoul(value, &end, 10) : 0;

    if (n == 0 || *end || n > max)
        return -XEN_EINVAL;
    *number = (unsigned int)n;
    return 0;
}

static int set_memory(const char *value)
{
    return parse_number(value, UINT32_MAX, &net_budget_option_kib);
}

static int set_connections(const char *value)
{
    unsigned int limit;
    int rc = parse_number(value, 1000000, &limit);

    if (rc == 0)
        net_memory_limit(MEMP_TCP_PCB, limit);
    return rc;
}

/* boot/network.c finds it. */
const struct cmdline_option net_options[] = {
    { "ip",
      "ADDRESS/PREFIX[,gw=ADDRESS][,dns=ADDRESS...] or dhcp (once for each interface, in their "
      "order; dhcp)",
      set_ip, NULL },
    { "net-memory",
      "KIB (what received packets may hold until they are read; a quarter of the free memory)",
      set_memory, NULL },
    { "net-connections",
      "NUMBER (of TCP connections at most, those over but remembered included; 5000)",
      set_connections, NULL },
    { NULL, NULL, NULL, NULL },
};
