/* SPDX-License-Identifier: MIT
 *
 * A fake xenconsoled in a pthread of its own: keeps the output, types input, can be slow, silent or
 * throttle a guest that sends too many events, as the real one does.
 */
#pragma once
#include "tests/host/fake_xen.h"
#include <xen/io/console.h>

struct fake_xenconsoled {
    struct xencons_interface *ring;
    evtchn_port_t port;

    /* Set by the test at any time. */
    bool silent;           /* reads nothing */
    bool throttle;         /* over 30 events in 200 ms: reads nothing until they are over */
    unsigned int pause_ms; /* before each read */
    unsigned int gulp;     /* bytes it reads at a time; 0: all */

    unsigned int events; /* it got */
    unsigned int throttled;
};
extern struct fake_xenconsoled fake_xenconsoled;

/* Start events, a ring page whose indices stand at `index`, a port, and the daemon. Opens upcalls.
 * Then console_early_init(); console_init() is the test's. */
void fake_xenconsoled_start(uint32_t index);
/* Let it look at the ring. */
void fake_xenconsoled_kick(void);
/* Type; while the ring is full, waits for the guest to say that it has read. How many bytes went in
 * before `timeout_ms`. */
size_t fake_xenconsoled_type(const char *text, size_t len, unsigned int timeout_ms);
/* All output so far, terminated; *len may be NULL. Until the next call. */
const char *fake_xenconsoled_output(size_t *len);
