/* SPDX-License-Identifier: MIT
 *
 * lwIP's home: its lock, its clock, its random numbers, and its start before main().
 */
#include <string.h>
#include "arch/cpu.h"
#include "kernel/mutex.h"
#include "kernel/time.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "net/budget.h"
#include "net/core.h"
#include "net/netif.h"

static struct mutex lock; /* inherits priorities: drivers' threads are better than programs' */
struct netif *net_loopback;
/* held: net lock */
bool net_timers_rest;
static bool used; /* since the timers looked, by others */

void net_lock(void)
{
    mutex_lock(&lock);
    used = true;
    if (net_timers_rest)
        net_timers_catch_up();
}

void net_lock_for_timers(void)
{
    mutex_lock(&lock);
}

bool net_take_used(void)
{
    bool was = used;

    used = false;
    return was;
}

void net_assert_locked(void)
{
#ifdef DEBUG
    kassert(mutex_is_mine(&lock));
#endif
}

void net_flush(void)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        if (netif->loop_first)
            netif_poll(netif);
    }
    net_netif_flush();
}

void net_unlock(void)
{
    net_flush();
    mutex_unlock(&lock);
}

int net_sleep(struct waitq *q, uint64_t deadline_ns)
{
    bool enabled;
    int rc;

    enabled = waitq_lock(q); /* a wake-up from here on waits for the sleep */
    mutex_unlock(&lock);
    rc = waitq_sleep_interruptible(q, deadline_ns);
    waitq_unlock(q, enabled);
    net_lock();
    return rc;
}

/* --- time: lwIP's, in milliseconds --- */

u32_t sys_now(void)
{
    return (u32_t)(time_now_ns() / NS_PER_MS);
}

/* --- chance: what others must not guess (ports, ids, sequence numbers) --- */

static uint64_t key[2]; /* set once */

static inline uint64_t rotate(uint64_t word, unsigned int by)
{
    return word << by | word >> (64 - by);
}

/* SipHash-2-4 of three words, by Aumasson and Bernstein. */
static uint64_t keyed_hash(const uint64_t words[3])
{
    uint64_t a = key[0] ^ 0x736f6d6570736575, b = key[1] ^ 0x646f72616e646f6d;
    uint64_t c = key[0] ^ 0x6c7967656e657261, d = key[1] ^ 0x7465646279746573;

    for (unsigned int i = 0; i < 5; i++) {
        uint64_t word = i < 3 ? words[i] : i == 3 ? 24ULL << 56 : 0;

        if (i == 4)
            c ^= 0xff;
        d ^= word;
        for (unsigned int round = 0; round < (i == 4 ? 4 : 2); round++) {
            a += b, c += d;
            b = rotate(b, 13) ^ a, d = rotate(d, 16) ^ c;
            a = rotate(a, 32);
            c += b, a += d;
            b = rotate(b, 17) ^ c, d = rotate(d, 21) ^ a;
            c = rotate(c, 32);
        }
        a ^= word;
    }
    return a ^ b ^ c ^ d;
}

uint32_t net_random(void)
{
    static uint64_t count;
    const uint64_t words[3] = { ++count, time_now_ns(), 1 };

    return (uint32_t)keyed_hash(words);
}

/* RFC 6528: a clock, and what only we know about each pair of addresses. */
uint32_t net_tcp_first_sequence(const void *local, uint16_t local_port, const void *remote,
                                uint16_t remote_port)
{
    const uint32_t *from = local, *to = remote;
    uint64_t words[3] = { (uint64_t)from[0] << 32 | to[0], (uint64_t)from[3] << 32 | to[3],
                          2ULL << 32 | (uint32_t)local_port << 16 | remote_port };

    words[1] ^= (uint64_t)(from[1] ^ to[2]) << 17 ^ (from[2] ^ to[1]);
    return (uint32_t)(keyed_hash(words) + time_now_ns() / (4 * NS_PER_US));
}

/* --- the start, in main's thread, before main() --- */

static __attribute__((constructor)) void net_start(void)
{
    struct netif *netif;

    mutex_init_inherit(&lock, false);
    key[0] = cpu_random();
    key[1] = cpu_random();
    net_budget_start();
    net_lock();
    lwip_init();
    NETIF_FOREACH(netif)
    {
        net_loopback = netif; /* the only one so far */
        NETIF_SET_CHECKSUM_CTRL(netif, NETIF_CHECKSUM_DISABLE_ALL);
    }
    net_unlock();
    net_timers_start();
    net_netif_start();
}
