/* SPDX-License-Identifier: MIT
 *
 * The xenstore client: any thread may ask, replies find their asker, watches their handler.
 * xenstored is outside the domain: each request has a deadline, each reply is judged, and a lie
 * ends the connection, not us. Follows Xen docs/misc/xenstore.txt, xenstore-ring.txt and
 * public/io/xs_wire.h.
 *
 * Paths are absolute or relative to the domain's own directory.  All functions: thread context;
 * 0 or a negative Xen errno: what xenstored answered (-XEN_ENOENT, -XEN_EACCES, ...),
 * -XEN_ETIMEDOUT, -XEN_EPROTO for a malformed reply, -XEN_EIO when the connection is closed,
 * -XEN_E2BIG for a request over XENSTORE_PAYLOAD_MAX.
 */
#pragma once
#include <stdarg.h>
#include "lib/types.h"
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/io/xs_wire.h>
#include "lib/list.h"

#define XENSTORE_TIMEOUT_NS NS_PER_S

typedef uint32_t xenstore_tx_t; /* XBT_NIL: outside any transaction */
#define XBT_NIL 0

/* Boot, with threads and events: `ring` is mapped. Resets what an earlier kernel in this domain
 * left behind (watches). */
int xenstore_init(struct xenstore_domain_interface *ring, evtchn_port_t port);

/* The value of `path`, NUL-terminated, kmem_free() by the caller; *len without the NUL (NULL: not
 * wanted). */
int xenstore_read(xenstore_tx_t tx, const char *path, char **value, size_t *len);
int xenstore_write(xenstore_tx_t tx, const char *path, const void *value, size_t len);
int xenstore_mkdir(xenstore_tx_t tx, const char *path);
int xenstore_rm(xenstore_tx_t tx, const char *path);
/* The names in a directory: `count` strings one after another in *names, each NUL-terminated;
 * kmem_free() by the caller. Directories beyond one message are read by DIRECTORY_PART. */
int xenstore_directory(xenstore_tx_t tx, const char *path, char **names, unsigned int *count);
/* "n5", "r0" ... as XS_GET_PERMS gives them, in the same form as xenstore_directory(). */
int xenstore_get_perms(xenstore_tx_t tx, const char *path, char **perms, unsigned int *count);
int xenstore_set_perms(xenstore_tx_t tx, const char *path, const char *const *perms,
                       unsigned int count);
/* "/local/domain/N"; kmem_free() by the caller. */
int xenstore_domain_path(domid_t domid, char **path);
int xenstore_is_domain_introduced(domid_t domid, bool *introduced);

int xenstore_transaction_start(xenstore_tx_t *tx);
/* -XEN_EAGAIN: somebody else changed what was read; start again. */
int xenstore_transaction_end(xenstore_tx_t tx, bool commit);
/* Run `body` in a transaction, again on EAGAIN up to a limit; abort when it returns an error, which
 * is then the result. `body` must have no effect that can't be repeated. */
int xenstore_transaction(int (*body)(xenstore_tx_t tx, void *arg), void *arg);

/* Text forms. printf-like path and value; a path over XENSTORE_ABS_PATH_MAX is -XEN_E2BIG. */
int xenstore_printf(xenstore_tx_t tx, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A decimal number from `path`; -XEN_EINVAL when the text is not one or is over `max`. */
int xenstore_read_unsigned(xenstore_tx_t tx, const char *path, uint64_t max, uint64_t *value);

struct xenstore_watch {
    const char *path; /* the caller's; must live as long as the watch */
    /* In the watch thread, one at a time: may use xenstore, should be quick. `path` is what
     * changed. */
    void (*fn)(struct xenstore_watch *watch, const char *path);
    void *arg;
    struct list link; /* the rest is the client's */
    char token[20];
    uint32_t token_number;
    bool missed; /* the queue was full: fire once more */
};
/* Fires once at once. */
int xenstore_watch(struct xenstore_watch *watch);
/* When this returns, fn is not running (unless called from it) and will not run again. */
int xenstore_unwatch(struct xenstore_watch *watch);
