/* SPDX-License-Identifier: MIT
 *
 * The PV console: one page shared with xenconsoled, a ring each way, an event each way.
 * Follows Xen public/io/console.h.  It is a log sink, and descriptors 0, 1 and 2 of the libc.
 */
#pragma once
#include "lib/types.h"
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>

/* Boot: `ring` is mapped; output works from here on, by polling, in any context. */
void console_early_init(struct xencons_interface *ring, evtchn_port_t port);
/* With threads and events: bind the port, start input. 0 or -errno. */
int console_init(void);

/* Write all of it, in order with every other writer. While the daemon is slow, waits (at most
 * CONSOLE_WAIT_NS without any progress), then drops and counts; the next output that fits is
 * preceded by a notice with the count. Thread context. */
void console_write(const char *text, size_t len);
#define CONSOLE_WAIT_NS NS_PER_S

/* Output: xl console's terminal and xenconsoled's pty are raw, so somebody has to send "\r\n" for
 * "\n": here it is the console in line mode, as it is for log lines always. A "\n" behind a "\r" is
 * left alone. */
enum console_mode {
    CONSOLE_LINE, /* echo, backspace, Ctrl-U; a read gives a line; Ctrl-D alone ends input */
    CONSOLE_RAW,  /* bytes as they come, both ways, no echo */
};
void console_set_mode(enum console_mode mode);
/* Up to `len` bytes of input: at least one, or 0 at end of input. -XEN_ETIMEDOUT at `deadline_ns`,
 * -XEN_EINTR by thread_interrupt(), -XEN_EIO once xenconsoled has broken the ring. Thread context.
 */
long console_read(char *out, size_t len, uint64_t deadline_ns);
/* Bytes a read would give without waiting. */
size_t console_readable(void);
/* Wait until xenconsoled has taken all output, at most until `deadline_ns`. 0 or -XEN_ETIMEDOUT.
 * Before the domain ends, so that its last words arrive. */
int console_drain(uint64_t deadline_ns);

/* A second console beside it: what programs write goes to write() too (log lines have sinks), any
 * context, and what read() gives, a byte or -1, is input as the ring's is: looked at fifty times a
 * second by a thread. Boot, before console_init(). */
void console_set_copy(void (*write)(const char *text, size_t len), int (*read)(void));

struct console_stats {
    uint64_t bytes_out, bytes_in, dropped;
};
void console_get_stats(struct console_stats *stats);
