/* SPDX-License-Identifier: MIT
 *
 * The other end of a stock iperf 2: lwIP's lwiperf.
 *
 *     iperf              server, TCP port 5001
 *     iperf -c ADDRESS   client; ends after its ten seconds
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "kernel/wait.h"
#include "lwip/apps/lwiperf.h"
#include "lwip/ip.h"
#include "net/core.h"

static struct signal ended = SIGNAL_INIT(ended);

static const char *const results[] = {
    [LWIPERF_TCP_DONE_SERVER] = "received",
    [LWIPERF_TCP_DONE_CLIENT] = "sent",
    [LWIPERF_TCP_ABORTED_LOCAL] = "aborted here",
    [LWIPERF_TCP_ABORTED_LOCAL_DATAERROR] = "wrong data",
    [LWIPERF_TCP_ABORTED_LOCAL_TXERROR] = "could not send",
    [LWIPERF_TCP_ABORTED_REMOTE] = "aborted by the other end",
};

/* Called with the net lock held. */
static void report(void *arg, enum lwiperf_report_type type, const ip_addr_t *local,
                   u16_t local_port, const ip_addr_t *remote, u16_t remote_port, u32_t bytes,
                   u32_t ms, u32_t kbit)
{
    (void)arg, (void)local, (void)local_port;
    printf("iperf: %s port %u: %s %lu bytes in %lu ms, %lu kbit/s\n", ipaddr_ntoa(remote),
           remote_port, results[type], (unsigned long)bytes, (unsigned long)ms,
           (unsigned long)kbit);
    signal_raise(&ended);
}

/* An interface that leads there, with an address of its own, may come a while after us. */
static bool wait_for_route(const ip_addr_t *address)
{
    for (int tries = 0; tries < 300; tries++) {
        struct netif *netif;
        bool found;

        net_lock();
        netif = ip_route(IP_ANY_TYPE, address);
        found = netif && !ip_addr_isany(ip_netif_get_local_ip(netif, address));
        net_unlock();
        if (found)
            return true;
        usleep(100 * 1000);
    }
    return false;
}

int main(int argc, char **argv)
{
    bool client = argc == 3 && strcmp(argv[1], "-c") == 0;
    ip_addr_t address;
    void *session;

    if (argc > 1 && !(client && ipaddr_aton(argv[2], &address))) {
        fprintf(stderr, "usage: iperf [-c ADDRESS]\n");
        return 1;
    }
    if (client && !wait_for_route(&address)) {
        fprintf(stderr, "iperf: no interface leads to %s\n", argv[2]);
        return 1;
    }
    net_lock();
    session = client ? lwiperf_start_tcp_client_default(&address, report, NULL)
                     : lwiperf_start_tcp_server_default(report, NULL);
    net_unlock();
    if (!session) {
        fprintf(stderr, "iperf: cannot start\n");
        return 1;
    }
    printf("iperf: %s\n", client ? "sending" : "listening on port 5001");
    do
        signal_wait(&ended, TIME_NEVER);
    while (!client);
    return 0;
}
