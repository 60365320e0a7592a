/* SPDX-License-Identifier: MIT
 *
 * A fake xenstored in a pthread of its own, at the other end of a ring page.  It knows every
 * request a guest may make; a test may make it slow, silent, send in pieces, or lie through `hook`.
 */
#pragma once
#include "tests/host/fake_xen.h"
#include <xen/io/xs_wire.h>

struct fake_xenstored {
    struct xenstore_domain_interface *ring;
    evtchn_port_t port;

    /* Set by the test at any time. */
    bool silent;            /* reads nothing, answers nothing */
    bool mute;              /* reads, does not answer: the replies are kept */
    bool reverse;           /* answers in the opposite order of what it found in the ring */
    bool no_directory_part; /* an old daemon */
    unsigned int chunk; /* bytes it writes before it raises the event; 0: all there is room for */
    unsigned int conflicts; /* transactions to end with EAGAIN */
    /* Sees each request first; true: it has answered, or nobody will. In the daemon's pthread. */
    bool (*hook)(const struct xsd_sockmsg *request, const char *payload);

    /* Counted. */
    unsigned int requests[XS_TYPE_COUNT];
    unsigned int open_transactions;
};
extern struct fake_xenstored fake_xenstored;

/* Start events, a ring page whose indices stand at `index`, a port, the daemon; open upcalls. */
void fake_xenstored_start(uint32_t index);
/* ... and the client on top of it: xenstore_init(). */
void fake_xenstored_connect(void);

/* Set a node of the tree; `path` absolute or relative to /local/domain/7. NULL value: remove. Fires
 * watches. Any pthread. */
void fake_xenstored_set(const char *path, const char *value);
/* The node's value in static memory; NULL when there is none. Any pthread. */
const char *fake_xenstored_get(const char *path);
/* Send any message, from any pthread. */
void fake_xenstored_send(uint32_t type, uint32_t req_id, uint32_t tx_id, const void *payload,
                         uint32_t len);
/* Send bytes that need not be a message. */
void fake_xenstored_send_raw(const void *bytes, size_t len);
/* Watches the guest has; `path` as the guest wrote it. */
unsigned int fake_xenstored_watches(const char *path);
/* The token of the watch on `path`; "" when there is none. */
const char *fake_xenstored_token(const char *path);
/* All the daemon has to send is in the ring or read. */
bool fake_xenstored_idle(void);
