/* SPDX-License-Identifier: MIT
 *
 * A device's frontend in xenstore: finding the backend, following its state, telling it ours.  The
 * backend is a stranger: whatever it writes is a number in bounds or a message, and whatever it
 * does not do ends in a timeout.  Follows Xen public/io/xenbus.h.
 */
#include "xenbus/xenbus.h"
#include <string.h>
#include "kernel/time.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/internal.h"

#define CLOSE_WAIT_NS NS_PER_S

/* "dir/key"; kmem_free() by the caller. NULL: no memory. */
static char *join(const char *dir, const char *key)
{
    size_t size = strlen(dir) + strlen(key) + 2;
    char *path = kmem_alloc(size);

    if (path)
        format_text(path, size, "%s/%s", dir, key);
    return path;
}

static bool is_closing(enum xenbus_state state)
{
    return state == XenbusStateClosing || state == XenbusStateClosed;
}

/* Watch thread: the backend's state may have changed. */
static void backend_changed(struct xenstore_watch *watch, const char *path)
{
    struct xenbus_device *device = watch->arg;
    uint64_t state = XenbusStateUnknown;
    int rc = xenstore_read_unsigned(XBT_NIL, device->backend_state_path, XenbusStateReconfigured,
                                    &state);
    struct signal *notify;
    bool enabled;

    (void)path;
    if (rc == -XEN_ENOENT || rc == -XEN_EACCES) {
        /* The backend's whole directory is gone. EACCES: what is left above it is not ours to read.
         */
        state = XenbusStateClosed;
    } else if (rc) {
        log_warn("%s: backend state at %s not read: %s", device->path, device->backend_state_path,
                 error_name(rc));
        return;
    }
    enabled = waitq_lock(&device->changed.q);
    device->backend_state = state;
    notify = device->notify;
    waitq_unlock(&device->changed.q, enabled);
    signal_raise(&device->changed);
    if (notify)
        signal_raise(notify);
}

static int find_backend(struct xenbus_device *device)
{
    uint64_t id = 0;
    char *path = join(device->path, "backend-id");
    int rc = -XEN_ENOMEM;

    if (path)
        rc = xenstore_read_unsigned(XBT_NIL, path, DOMID_FIRST_RESERVED - 1, &id);
    kmem_free(path);
    device->backend_id = id;
    path = join(device->path, "backend");
    if (rc == 0)
        rc = path ? xenstore_read(XBT_NIL, path, &device->backend_path, NULL) : -XEN_ENOMEM;
    kmem_free(path);
    if (rc == 0) {
        device->backend_state_path = join(device->backend_path, "state");
        rc = device->backend_state_path ? 0 : -XEN_ENOMEM;
    }
    return rc;
}

void xenbus_forget(struct xenbus_device *device)
{
    if (device->backend_watch.fn) {
        xenstore_unwatch(&device->backend_watch);
        device->backend_watch.fn = NULL;
    }
    kmem_free(device->backend_path);
    kmem_free(device->backend_state_path);
    device->backend_path = device->backend_state_path = NULL;
}

int xenbus_open(struct xenbus_device *device, const char *kind, unsigned int id)
{
    int rc, len;

    *device = (struct xenbus_device){ .state = XenbusStateInitialising,
                                      .backend_state = XenbusStateUnknown };
    signal_init(&device->changed);
    len = format_text(device->path, sizeof(device->path), "device/%s/%u", kind, id);
    if ((size_t)len >= sizeof(device->path))
        return -XEN_E2BIG;
    rc = find_backend(device);
    if (rc == 0) {
        device->backend_watch.path = device->backend_state_path;
        device->backend_watch.fn = backend_changed;
        device->backend_watch.arg = device;
        rc = xenstore_watch(&device->backend_watch);
        if (rc)
            device->backend_watch.fn = NULL;
    }
    if (rc)
        xenbus_forget(device);
    return rc;
}

void xenbus_notify(struct xenbus_device *device, struct signal *notify)
{
    bool enabled = waitq_lock(&device->changed.q);

    device->notify = notify;
    waitq_unlock(&device->changed.q, enabled);
}

enum xenbus_state xenbus_backend_state(struct xenbus_device *device)
{
    bool enabled = waitq_lock(&device->changed.q);
    enum xenbus_state state = device->backend_state;

    waitq_unlock(&device->changed.q, enabled);
    return state;
}

int xenbus_await_backend(struct xenbus_device *device, enum xenbus_state state,
                         uint64_t deadline_ns)
{
    for (;;) {
        enum xenbus_state now = xenbus_backend_state(device);
        int rc;

        if (now == state || (now == XenbusStateClosed && state == XenbusStateClosing))
            return 0;
        if (is_closing(now) && !is_closing(state))
            return -XEN_ECONNRESET;
        rc = signal_wait(&device->changed, deadline_ns);
        if (rc) {
            log_warn("%s: backend %s is in state %u, not %u", device->path, device->backend_path,
                     now, state);
            return rc;
        }
    }
}

int xenbus_set_state(struct xenbus_device *device, enum xenbus_state state)
{
    char *path = join(device->path, "state");
    bool enabled;
    int rc = path ? xenstore_printf(XBT_NIL, path, "%u", state) : -XEN_ENOMEM;

    kmem_free(path);
    if (rc == 0) {
        enabled = waitq_lock(&device->changed.q);
        device->state = state;
        waitq_unlock(&device->changed.q, enabled);
    }
    return rc;
}

struct publication {
    const struct xenbus_device *device;
    const struct xenbus_pair *pairs;
};

static int publish_pairs(xenstore_tx_t tx, void *arg)
{
    const struct publication *publication = arg;
    int rc = 0;

    for (const struct xenbus_pair *pair = publication->pairs; pair->key && rc == 0; pair++) {
        char *path = join(publication->device->path, pair->key);

        rc = -XEN_ENOMEM;
        if (path)
            rc = xenstore_printf(tx, path, "%llu", (unsigned long long)pair->value);
        kmem_free(path);
    }
    return rc;
}

int xenbus_publish(struct xenbus_device *device, const struct xenbus_pair *pairs)
{
    struct publication publication = { device, pairs };

    return xenstore_transaction(publish_pairs, &publication);
}

uint64_t xenbus_backend_number(struct xenbus_device *device, const char *key, uint64_t max,
                               uint64_t fallback)
{
    char *path = join(device->backend_path, key), *text = NULL;
    uint64_t value = fallback;
    size_t len;

    if (path && xenstore_read(XBT_NIL, path, &text, &len) == 0 &&
        store_parse_unsigned(text, len, max, &value))
        log_warn("%s: %s is '%.40s', not a number up to %llu; %llu is used", device->path, path,
                 text, (unsigned long long)max, (unsigned long long)fallback);
    kmem_free(text);
    kmem_free(path);
    return value;
}

void xenbus_fatal(struct xenbus_device *device, int error, const char *what)
{
    char path[sizeof(device->path) + 16];

    log_error("%s: %s: %s", device->path, what, error_name(error));
    format_text(path, sizeof(path), "error/%s/error", device->path);
    xenstore_printf(XBT_NIL, path, "%d %s", error, what);
}

void xenbus_close(struct xenbus_device *device)
{
    if (device->backend_watch.fn) {
        if (xenbus_set_state(device, XenbusStateClosing) == 0)
            xenbus_await_backend(device, XenbusStateClosing, time_after_ns(CLOSE_WAIT_NS));
        if (xenbus_set_state(device, XenbusStateClosed) == 0)
            xenbus_await_backend(device, XenbusStateClosed, time_after_ns(CLOSE_WAIT_NS));
    }
    xenbus_forget(device);
}
