/* SPDX-License-Identifier: MIT
 *
 * TCP/IP alone in a world of one thread: net/ and lwIP on a kernel that only counts, with network
 * devices whose other side is the test, and a clock that moves when the test says so.  Who sleeps
 * lets time pass until he is woken.  Used by tests/net/test_*.c and tests/fuzz/fuzz_net.c.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "net/netdev.h"

/* --- time --- */

extern uint64_t world_now_ns;
/* Threads and timers run as they become due. */
void world_pass_ms(unsigned int ms);
/* Called before time goes on: whoever answers while the test sleeps. */
extern void (*world_peer)(void);
/* How often threads have been woken. */
extern unsigned int world_wakes;

/* --- memory: pages and blocks not freed; how many pages there are --- */

extern unsigned long world_pages, world_blocks, world_pages_max;

/* --- xenstore and the log --- */

/* What the domain wrote; NULL: nothing, or removed again. */
const char *world_store(const char *path);

/* --- devices --- */

#define WORLD_DEVICES 3
#define WORLD_FRAME   (64 * 1024 + 256)

/* Device `n` appears, with everything a Linux backend offers; its link comes up. Its address is
 * 00:16:3e:00:00:0n, its peer's 02:00:00:00:00:0n. `ip`: as of the kernel option; NULL: no option
 * any more. */
struct netdev *world_attach(unsigned int n, const char *ip);
void world_detach(unsigned int n);
/* Set a kernel option of net/'s: what its function says. */
int world_option(const char *name, const char *value);
/* A frame comes, in pages of its own; of `csum` as netdev_packet. */
void world_receive(unsigned int n, const void *frame, size_t len, bool csum_valid);
/* Several in one run: between begin and end. */
void world_receive_more(unsigned int n, const void *frame, size_t len, bool csum_valid);
void world_receive_end(unsigned int n);
/* Frames lie at the end of their pages: who reads too far is seen. */
extern bool world_at_end;
/* The next frame that the device sent; 0: there is none. At most WORLD_FRAME bytes. */
size_t world_sent(unsigned int n, void *frame);
/* Forget what was sent. */
void world_drop_sent(void);
/* How often it was told to filter multicast; the last address. */
extern unsigned int world_filters[WORLD_DEVICES];
extern uint8_t world_filter[6];
/* The devices refuse packets (XEN_EAGAIN) while this is set; and then there is room. */
extern bool world_full;
void world_room(unsigned int n);
