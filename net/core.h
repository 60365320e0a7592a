/* SPDX-License-Identifier: MIT
 *
 * lwIP under one lock.  Every call of lwIP, from any thread, is made between net_lock() and
 * net_unlock(), and all that hangs on its control blocks is guarded by that lock: "held: net lock".
 * Data is copied outside of it.
 */
#pragma once
#include "kernel/wait.h"
#include "lib/types.h"

struct netif;

/* Thread context. Not recursive. */
void net_lock(void);
/* Delivers what was sent over the loopback, has the devices send what was queued, and lets go. */
void net_unlock(void);
/* Of a queue with LOCK_CONDITION: release the net lock, sleep, and take it again. 0 when woken,
 * -XEN_ETIMEDOUT, -XEN_EINTR. What was sent before must be on its way: net_flush(), and then look
 * whether it is still worth sleeping. */
int net_sleep(struct waitq *q, uint64_t deadline_ns);
/* The first half of net_unlock(): for who holds the lock for long. held: net lock */
void net_flush(void);

/* net/netif.c: have all devices send what was queued. held: net lock */
void net_netif_flush(void);

/* --- between core.c and timers.c; held: net lock --- */

/* The timers' thread sleeps for long: whoever takes the lock makes up for what is late. */
extern bool net_timers_rest;
void net_timers_catch_up(void);
/* A request of ARP left: it is repeated each second while there is no answer. */
void net_timers_expect_arp(void);
void net_timers_start(void);
/* net_lock(), of the timers' thread: no use that needs looking after. */
void net_lock_for_timers(void);
/* Did anybody else take the lock since this was asked? */
bool net_take_used(void);

/* The interface of the loopback. */
extern struct netif *net_loopback;
