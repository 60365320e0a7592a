/* SPDX-License-Identifier: MIT
 *
 * The frontend's side of a device in xenstore: states, the backend's directory, publishing what
 * the backend needs.  Device drivers stand on this.  Follows Xen public/io/xenbus.h.
 */
#pragma once
#include <stdint.h>
#include <xen/io/xenbus.h>
#include "kernel/wait.h"
#include "xenbus/xenstore.h"

struct xenbus_device {
    char path[64];      /* "device/vif/0" */
    char *backend_path; /* "/local/domain/0/backend/vif/5/0" */
    domid_t backend_id;
    enum xenbus_state state, backend_state; /* held: changed.q.lock */
    struct signal changed;                  /* the backend's state may have changed */
    struct signal *notify;                  /* raised too; held: changed.q.lock */
    struct xenstore_watch backend_watch;
    char *backend_state_path;
};

/* Find device/KIND/ID, read its backend, watch the backend's state. 0; -XEN_ENOENT when there is no
 * such device. `device` must live until xenbus_close(). Thread context (all of these). */
int xenbus_open(struct xenbus_device *device, const char *kind, unsigned int id);
/* The backend's state as far as it is known; XenbusStateUnknown right after xenbus_open(). For
 * drivers that follow it: `notify` is raised too when it may have changed, from here on. Any
 * context. */
void xenbus_notify(struct xenbus_device *device, struct signal *notify);
enum xenbus_state xenbus_backend_state(struct xenbus_device *device);
/* Wait until the backend is in `state`; -XEN_ETIMEDOUT, or -XEN_ECONNRESET if it goes to Closing or
 * Closed instead (and that wasn't asked for). */
int xenbus_await_backend(struct xenbus_device *device, enum xenbus_state state,
                         uint64_t deadline_ns);
/* Write our state, as the last thing after what it promises. */
int xenbus_set_state(struct xenbus_device *device, enum xenbus_state state);

struct xenbus_pair {
    const char *key; /* under the device's directory; NULL ends a list */
    uint64_t value;
};
/* Write all pairs in one transaction. */
int xenbus_publish(struct xenbus_device *device, const struct xenbus_pair *pairs);
/* A number from the backend's directory, at most `max`, `fallback` when absent or nonsense
 * (nonsense is logged with its key and value). */
uint64_t xenbus_backend_number(struct xenbus_device *device, const char *key, uint64_t max,
                               uint64_t fallback);
/* Report a fatal error to the toolstack's error/ directory and the log. */
void xenbus_fatal(struct xenbus_device *device, int error, const char *what);
/* Watch removed, xenstore left as it is: the device is gone, or will be opened again. Accepts a
 * half-open device. */
void xenbus_forget(struct xenbus_device *device);
/* Closing, wait (bounded) for the backend, Closed, watch removed. Accepts a half-open device. */
void xenbus_close(struct xenbus_device *device);
