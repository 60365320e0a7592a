/* SPDX-License-Identifier: MIT
 *
 * lwIP's timers, in place of its own timeouts.c, which looks at them ten times a second for ever.
 * A thread runs them, in one of two paces.  While the net lock is used it looks again soon.  When
 * nobody took the lock since it looked last, nothing but time can make anything due: it asks each
 * timer whether it is urgent, and sleeps until the first of those.  What is not urgent (lifetimes
 * of neighbours and addresses, connections that are over) waits for a minute, or for whoever takes
 * the lock next, and is then made up for.  So an idle domain does next to nothing.
 *
 * held: net lock, everywhere but in run_timers().
 */
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "net/core.h"
#include "net/resolve.h"

/* What is armed while the lock is used is late by this at most; and how long an acknowledgement may
 * wait for something to go with. */
#define NAP_NS     (100 * NS_PER_MS)
#define ACK_NAP_NS (40 * NS_PER_MS)
/* So long after the last request ARP gives up. */
#define ARP_NS (6 * NS_PER_S)
/* What is not urgent may be so late. */
#define LATE_NS     (60 * NS_PER_S)
#define PERIODS_MAX 100000 /* made up for at once: a day of seconds */

static struct signal look = SIGNAL_INIT(look);
static struct timer nap;
static uint64_t arp_until_ns; /* until when ARP may wait for an answer */

/* --- TCP --- */

/* Can time alone change anything about it? */
static bool is_urgent(const struct tcp_pcb *pcb)
{
    return (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT) || pcb->unsent || pcb->unacked ||
           pcb->ooseq || pcb->refused_data || pcb->poll || pcb->persist_backoff ||
           pcb->flags & (TF_ACK_DELAY | TF_ACK_NOW | TF_CLOSEPEND) ||
           pcb->so_options & SOF_KEEPALIVE;
}

static bool tcp_is_urgent(void)
{
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        if (is_urgent(pcb))
            return true;
    return false;
}

/* Of connections that did nothing only the clock went on. */
static void tcp_pass(unsigned int periods)
{
    if (periods > 2)
        tcp_ticks += (periods - 1) / (TCP_SLOW_INTERVAL / TCP_TMR_INTERVAL);
    tcp_tmr();
}

/* --- what counts seconds --- */

static bool addresses_are_urgent(void)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        if (netif->rs_count)
            return true;
        for (unsigned int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
            if (ip6_addr_istentative(netif_ip6_addr_state(netif, i)))
                return true;
    }
    return false;
}

static bool neighbours_are_urgent(void)
{
    for (unsigned int i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        uint8_t state = neighbor_cache[i].state;

        if (state == ND6_INCOMPLETE || state == ND6_DELAY || state == ND6_PROBE)
            return true;
    }
    return false;
}

static bool seconds_are_urgent(void)
{
    return time_now_ns() < arp_until_ns || resolve_is_asking() || addresses_are_urgent() ||
           neighbours_are_urgent();
}

static void seconds_pass(unsigned int periods)
{
    for (; periods; periods--) {
        etharp_tmr();
        ip_reass_tmr();
        dns_tmr();
        nd6_tmr();
        ip6_reass_tmr();
    }
}

/* --- DHCP --- */

static bool dhcp_is_urgent(void)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        if (netif_dhcp_data(netif) && netif_dhcp_data(netif)->request_timeout)
            return true;
    }
    return false;
}

/* Nothing is missed while no answer is waited for. */
static void dhcp_pass(unsigned int periods)
{
    (void)periods;
    dhcp_fine_tmr();
}

static bool leases_are_urgent(void)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        if (netif_dhcp_data(netif))
            return true;
    }
    return false;
}

static void leases_pass(unsigned int periods)
{
    for (; periods; periods--)
        dhcp_coarse_tmr();
}

/* --- multicast --- */

static bool groups_are_urgent(void)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        for (const struct igmp_group *g = netif_igmp_data(netif); g; g = g->next)
            if (g->timer)
                return true;
        for (const struct mld_group *g = netif_mld6_data(netif); g; g = g->next)
            if (g->timer)
                return true;
    }
    return false;
}

/* Nothing is missed while no report is due. */
static void groups_pass(unsigned int periods)
{
    (void)periods;
    igmp_tmr();
    mld6_tmr();
}

/* --- all --- */

static struct cycle {
    uint64_t period_ns;
    /* Must it be in time? */
    bool (*is_urgent)(void);
    /* So many periods have gone by, at least one. */
    void (*pass)(unsigned int periods);
    uint64_t until_ns; /* up to when they are made up for */
} cycles[] = {
    { TCP_TMR_INTERVAL * NS_PER_MS, tcp_is_urgent, tcp_pass, 0 },
    { IP_TMR_INTERVAL * NS_PER_MS, seconds_are_urgent, seconds_pass, 0 },
    { DHCP_FINE_TIMER_MSECS * NS_PER_MS, dhcp_is_urgent, dhcp_pass, 0 },
    { DHCP_COARSE_TIMER_MSECS * NS_PER_MS, leases_are_urgent, leases_pass, 0 },
    { IGMP_TMR_INTERVAL * NS_PER_MS, groups_are_urgent, groups_pass, 0 },
};

static void run_due(void)
{
    uint64_t now_ns = time_now_ns();

    for (unsigned int i = 0; i < ARRAY_SIZE(cycles); i++) {
        struct cycle *cycle = &cycles[i];
        uint64_t periods = (now_ns - cycle->until_ns) / cycle->period_ns;

        cycle->until_ns += periods * cycle->period_ns;
        if (periods)
            cycle->pass((unsigned int)MIN(periods, PERIODS_MAX));
    }
}

static uint64_t next_due_ns(void)
{
    uint64_t next_ns = TIME_NEVER;

    for (unsigned int i = 0; i < ARRAY_SIZE(cycles); i++) {
        const struct cycle *cycle = &cycles[i];

        next_ns = MIN(next_ns, cycle->is_urgent() ? cycle->until_ns + cycle->period_ns
                                                  : cycle->until_ns + LATE_NS);
    }
    return next_ns;
}

void net_timers_expect_arp(void)
{
    arp_until_ns = time_after_ns(ARP_NS);
}

static uint64_t nap_end_ns(void)
{
    return time_after_ns(tcp_active_pcbs ? ACK_NAP_NS : NAP_NS);
}

void net_timers_catch_up(void)
{
    run_due();
    net_timers_rest = false;
    timer_arm(&nap, nap_end_ns());
}

static void nap_is_over(void *unused)
{
    (void)unused;
    signal_raise(&look);
}

/* held: net lock. Until when to sleep. */
static uint64_t look_at_timers(void)
{
    run_due();
    if (tcp_active_pcbs)
        tcp_fasttmr();
    if (!net_take_used()) {
        net_timers_rest = true;
        return next_due_ns();
    }
    return nap_end_ns();
}

static void run_timers(void *unused)
{
    (void)unused;
    for (;;) {
        uint64_t until_ns;

        net_lock_for_timers();
        until_ns = look_at_timers();
        net_unlock();
        signal_wait(&look, until_ns);
    }
}

/* lwIP says that it has a connection; whoever told it so used the lock. */
void tcp_timer_needed(void)
{
}

void net_timers_start(void)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(cycles); i++)
        cycles[i].until_ns = time_now_ns();
    timer_init(&nap, nap_is_over, NULL);
    thread_start_service("net-timers", run_timers, NULL);
}
