/* SPDX-License-Identifier: MIT
 *
 * The drivers of network devices, and their options.  This file is in the image of a program that
 * uses the network (net/netdev.c refers to it) and in no other; boot/start.c calls it if it is
 * there.
 */
#include <string.h>
#include "arch/cards.h"
#include "boot/options.h"
#include "lib/log.h"
#include "net/netdev.h"
#include "netfront/netfront.h"

/* In enum netfront_feature's order. */
static const char *const features[NETFRONT_FEATURES] = { "sg",    "gso",   "csum", "multiqueue",
                                                         "split", "mcast", "ctrl" };

static int turn_off(const char *word, size_t len)
{
    for (unsigned int i = 0; i < NETFRONT_FEATURES; i++) {
        if (strlen(features[i]) == len && memcmp(features[i], word, len) == 0) {
            netfront_turn_off(i);
            return 0;
        }
    }
    return -XEN_EINVAL;
}

static int set_net_off(const char *value)
{
    int rc = value ? 0 : -XEN_EINVAL;

    while (rc == 0) {
        size_t len = strcspn(value, ",");

        rc = turn_off(value, len);
        value += len;
        if (*value++ == '\0')
            break;
    }
    return rc;
}

static bool wants_rtl8139;

static int set_net(const char *value)
{
    wants_rtl8139 = value && strcmp(value, "rtl8139") == 0;
    return wants_rtl8139 || (value && strcmp(value, "netfront") == 0) ? 0 : -XEN_EINVAL;
}

/* net/options.c; NULL without TCP/IP. */
extern const struct cmdline_option net_options[] __attribute__((weak));

const struct cmdline_option network_options[] = {
    { "net", "netfront|rtl8139 (in an HVM domain, whether its emulated cards are used; netfront)",
      set_net, NULL },
    { "net-off",
      "FEATURE[,FEATURE...] of sg, gso, csum, multiqueue, split, mcast, ctrl (done without)",
      set_net_off, NULL },
    { NULL, NULL, NULL, net_options },
};

void network_start(void)
{
    int rc;

    cards_choose(wants_rtl8139);
    rc = netfront_start();
    if (rc)
        log_error("netfront: no interfaces: %s", error_name(rc));
}
