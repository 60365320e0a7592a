/* SPDX-License-Identifier: MIT
 *
 * Addresses of interfaces: by kernel option, else by DHCP and by the routers' advertisements.  What
 * an interface got is printed, and written to the domain's xenstore data/net/N/.
 *
 * held: net lock, unless it says something else.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/log.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/netif.h"
#include "net/core.h"
#include "net/netif.h"
#include "net/options.h"
#include "xenbus/xenstore.h"

#define INTERFACES_MAX 16
#define TEXT_MAX       64
#define SETTLE_NS      (100 * NS_PER_MS)

/* What is to be told about an interface, by a thread that may wait for xenstore. */
struct news {
    bool address_changed, address6_changed;
    char name[12];
    char address[TEXT_MAX], gateway[TEXT_MAX], dns[TEXT_MAX], address6[TEXT_MAX];
};
static struct news news[INTERFACES_MAX];
static struct signal told = SIGNAL_INIT(told);

/* --- telling --- */

static void collect(struct netif *netif, struct news *n)
{
    n->address[0] = n->gateway[0] = n->dns[0] = n->address6[0] = '\0';
    if (!ip4_addr_isany(netif_ip4_addr(netif))) {
        unsigned int bits =
            (unsigned int)__builtin_popcount(ip4_addr_get_u32(netif_ip4_netmask(netif)));

        snprintf(n->address, TEXT_MAX, "%s/%u", ip4addr_ntoa(netif_ip4_addr(netif)), bits);
        if (!ip4_addr_isany(netif_ip4_gw(netif)))
            snprintf(n->gateway, TEXT_MAX, "%s", ip4addr_ntoa(netif_ip4_gw(netif)));
    }
    for (unsigned int i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++) /* 0: the link-local one */
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
            inet_ntop(AF_INET6, netif_ip6_addr(netif, i)->addr, n->address6, TEXT_MAX);
    if (!ip_addr_isany(dns_getserver(0)))
        snprintf(n->dns, TEXT_MAX, "%s", ipaddr_ntoa(dns_getserver(0)));
}

static void write_store(unsigned int number, const char *key, const char *value)
{
    char path[40];

    snprintf(path, sizeof(path), "data/net/%u/%s", number, key);
    if (value[0])
        xenstore_write(XBT_NIL, path, value, strlen(value));
    else
        xenstore_rm(XBT_NIL, path);
}

/* Net lock not held. */
static void tell(unsigned int number, const struct news *n)
{
    if (n->address_changed && n->address[0])
        printf("%s: %s%s%s%s%s\n", n->name, n->address, n->gateway[0] ? ", gateway " : "",
               n->gateway, n->dns[0] ? ", dns " : "", n->dns);
    if (n->address6_changed && n->address6[0])
        printf("%s: %s\n", n->name, n->address6);
    write_store(number, "ip", n->address);
    write_store(number, "gateway", n->gateway);
    write_store(number, "dns", n->dns);
    write_store(number, "ip6", n->address6);
}

static void tell_all(void *unused)
{
    (void)unused;
    for (;;) {
        signal_wait(&told, TIME_NEVER);
        thread_sleep_until(time_after_ns(SETTLE_NS)); /* several things change at once */
        for (unsigned int i = 0; i < INTERFACES_MAX; i++) {
            struct news n;

            net_lock();
            n = news[i];
            news[i].address_changed = news[i].address6_changed = false;
            net_unlock();
            if (n.address_changed || n.address6_changed)
                tell(i, &n);
        }
    }
}

static void address_changed(struct netif *netif, netif_nsc_reason_t reason,
                            const netif_ext_callback_args_t *args)
{
    struct news now = { .name = "" };
    unsigned int number;

    (void)args;
    if (netif == net_loopback || reason & LWIP_NSC_NETIF_REMOVED)
        return;
    number = net_netif_number(netif);
    if (number >= INTERFACES_MAX)
        return;
    net_netif_name(netif, now.name, sizeof(now.name));
    collect(netif, &now);
    now.address_changed = strcmp(now.address, news[number].address) != 0;
    now.address6_changed = strcmp(now.address6, news[number].address6) != 0;
    if (!now.address_changed && !now.address6_changed)
        return;
    now.address_changed |= news[number].address_changed;
    now.address6_changed |= news[number].address6_changed;
    news[number] = now;
    signal_raise(&told);
}

void net_configure_forget(unsigned int number)
{
    if (number >= INTERFACES_MAX)
        return;
    news[number] = (struct news){ .address_changed = true, .address6_changed = true };
    signal_raise(&told);
}

/* --- choosing --- */

static void set_static(struct netif *netif, const struct net_option *option)
{
    const ip4_addr_t mask = { .addr = option->prefix
                                          ? lwip_htonl(0xffffffffu << (32 - option->prefix))
                                          : 0 };

    if (IP_IS_V6_VAL(option->address)) {
        netif_set_ip6_autoconfig_enabled(netif, 0);
        netif_ip6_addr_set(netif, 1, ip_2_ip6(&option->address));
        netif_ip6_addr_set_state(netif, 1, IP6_ADDR_TENTATIVE);
    } else {
        netif_set_addr(netif, ip_2_ip4(&option->address), &mask, ip_2_ip4(&option->gateway));
    }
    for (u8_t i = 0; i < NET_OPTION_DNS; i++)
        if (!ip_addr_isany_val(option->dns[i]))
            dns_setserver(i, &option->dns[i]);
}

void net_configure(struct netif *netif, unsigned int number, bool up)
{
    const struct net_option *option = net_option(number);
    static netif_ext_callback_t callback;
    static bool started;

    if (!started) {
        started = true;
        netif_add_ext_callback(&callback, address_changed);
        thread_start_service("net-config", tell_all, NULL);
    }
    if (option && option->set) {
        if (up)
            set_static(netif, option);
    } else if (!up) {
        if (netif_dhcp_data(netif))
            dhcp_release_and_stop(netif);
    } else if (dhcp_start(netif) != ERR_OK) {
        log_warn("interface %u: no memory for DHCP", number);
    }
}
