/* SPDX-License-Identifier: MIT
 *
 * An interface's life: its thread compares the backend's state with its own and takes the next
 * step, whichever of the two changed last.  Follows Xen public/io/xenbus.h.
 *
 *     backend         we             step
 *     InitWait        Initialising   agree, publish, Connected
 *     Connected       Connected      link up
 *     Closing, ...    Connected      link down, Closed, take everything back
 *     Closed          Closed         Initialising, if the toolstack wants the device still
 *
 * A backend that broke the rules is left alone until it shows InitWait by itself.
 */
#include <string.h>
#include "kernel/time.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "netfront/internal.h"

#define CLOSE_WAIT_NS NS_PER_S
#define RETRY_MIN_NS  (100 * NS_PER_MS)
#define RETRY_MAX_NS  (10 * NS_PER_S)
#define COMPLAIN_NS   (5 * NS_PER_S)
#define STEADY_NS     (2 * NS_PER_S) /* a connection that lasted this long was a good one */

void netfront_found_fault(struct netfront_queue *q)
{
    struct netfront *nf = q->nf;
    bool enabled = waitq_lock(&nf->look.q);

    if (!nf->fault.field)
        nf->fault = q->tx.fault.field ? q->tx.fault : q->rx.fault;
    waitq_unlock(&nf->look.q, enabled);
    signal_raise(&nf->look);
}

static bool take_fault(struct netfront *nf, struct netfront_fault *fault)
{
    bool enabled = waitq_lock(&nf->look.q);

    *fault = nf->fault;
    nf->fault.field = NULL;
    waitq_unlock(&nf->look.q, enabled);
    return fault->field;
}

/* The device's link: the backend is connected, and has one itself. */
static void tell_link(struct netfront *nf)
{
    bool up = nf->up && nf->carrier;

    if (up != nf->dev.up)
        netdev_set_link(&nf->dev, up);
}

static void set_link(struct netfront *nf, bool up)
{
    nf->up = up;
    if (up) {
        nf->up_since_ns = time_now_ns();
        log_info("%s: connected to domain %u, %u queues, MTU %u", nf->dev.name,
                 nf->xenbus.backend_id, nf->dev.features.queues, nf->dev.features.mtu);
    }
    tell_link(nf);
}

static void set_sending(struct netfront *nf, bool open)
{
    for (unsigned int i = 0; i < nf->nr_queues; i++) {
        struct tx *tx = &nf->queues[i]->tx;
        bool enabled = spin_lock_save(&tx->lock);

        tx->open = open;
        spin_unlock_restore(&tx->lock, enabled);
    }
}

static void set_state(struct netfront *nf, enum xenbus_state state)
{
    int rc = xenbus_set_state(&nf->xenbus, state);

    if (rc && rc != -XEN_ENOENT && rc != -XEN_EACCES) /* these: the directory is gone */
        log_warn("%s: state %u is not written: %s", nf->dev.name, state, error_name(rc));
    nf->xenbus.state = state;
}

/* From any state to Closed, with nothing of ours left with the backend. */
static void close_connection(struct netfront *nf)
{
    struct netfront_fault fault;

    for (unsigned int i = 0; i < nf->nr_queues; i++)
        queue_stop(nf->queues[i]);
    if (nf->up && time_now_ns() - nf->up_since_ns > STEADY_NS)
        nf->pause_ns = 0;
    else
        nf->pause_ns = MIN(nf->pause_ns * 2 + RETRY_MIN_NS, RETRY_MAX_NS);
    if (nf->up)
        set_link(nf, false);
    nf->retry_ns = time_after_ns(nf->pause_ns);
    nf->complain_ns = time_after_ns(COMPLAIN_NS);
    set_state(nf, XenbusStateClosed);
    if (nf->connected) {
        xenbus_await_backend(&nf->xenbus, XenbusStateClosed, time_after_ns(CLOSE_WAIT_NS));
        netfront_disconnect(nf);
    }
    take_fault(nf, &fault); /* what came late is not the next connection's */
}

static void give_up(struct netfront *nf, int rc, const char *why)
{
    xenbus_fatal(&nf->xenbus, rc, why);
    close_connection(nf);
    nf->broken = true;
    nf->left_alone = false;
}

static bool is_wanted(struct netfront *nf)
{
    return xenbus_backend_number(&nf->xenbus, "online", 1, 1);
}

static void step_connected(struct netfront *nf, enum xenbus_state backend)
{
    if (backend == XenbusStateConnected && !nf->up) {
        ctrl_spread(nf);
        set_sending(nf, true);
        set_link(nf, true);
        if (netfront_start_queues(nf)) {
            log_warn("%s: no memory for the queues' threads; trying again", nf->dev.name);
            close_connection(nf);
        } else {
            carrier_watch(nf);
        }
    } else if (backend == XenbusStateClosing || backend == XenbusStateClosed ||
               (backend == XenbusStateInitWait && nf->up)) { /* it restarted, and may not tell */
        close_connection(nf);
    } else if (nf->up && carrier_look(nf)) {
        log_info("%s: the link behind the backend is %s", nf->dev.name,
                 nf->carrier ? "up" : "down");
        tell_link(nf);
    }
}

static void step_initialising(struct netfront *nf, enum xenbus_state backend)
{
    if (backend == XenbusStateInitWait) {
        int rc = netfront_connect(nf);

        if (rc == -XEN_ETIMEDOUT || rc == -XEN_ENOMEM || rc == -XEN_ENOSPC) {
            log_warn("%s: not connected: %s; trying again", nf->dev.name, error_name(rc));
            close_connection(nf);
        } else if (rc) {
            give_up(nf, rc, "not connected");
        }
    } else if (backend == XenbusStateConnected || backend == XenbusStateClosing) {
        close_connection(nf); /* of a life before ours */
    }
}

static void step_closed(struct netfront *nf, enum xenbus_state backend)
{
    bool again = false;

    if (backend != XenbusStateInitWait)
        nf->left_alone = true; /* so InitWait from here on is a restart */
    if (time_now_ns() < nf->retry_ns)
        return;
    if (backend == XenbusStateInitWait)
        again = !nf->broken || nf->left_alone;
    else if (backend == XenbusStateClosed && !nf->broken)
        again = is_wanted(nf);
    if (again) {
        nf->broken = false;
        set_state(nf, XenbusStateInitialising);
    }
}

/* True: the state of ours changed, so look at once. */
static bool step(struct netfront *nf)
{
    enum xenbus_state before = nf->xenbus.state;
    enum xenbus_state backend = xenbus_backend_state(&nf->xenbus);
    struct netfront_fault fault;

    if (take_fault(nf, &fault)) {
        log_error("%s: backend: %s is %llu: interface closed", nf->dev.name, fault.field,
                  (unsigned long long)fault.value);
        give_up(nf, -XEN_EPROTO, "backend broke the protocol");
    } else if (before == XenbusStateConnected) {
        step_connected(nf, backend);
    } else if (before == XenbusStateInitialising) {
        step_initialising(nf, backend);
    } else {
        step_closed(nf, backend);
    }
    return nf->xenbus.state != before;
}

/* Is the directory still the one we opened? */
static bool is_there(struct netfront *nf)
{
    char path[sizeof(nf->xenbus.path) + 16], *backend = NULL;
    bool there;
    int rc;

    format_text(path, sizeof(path), "%s/backend", nf->xenbus.path);
    rc = xenstore_read(XBT_NIL, path, &backend, NULL);
    there = rc ? rc == -XEN_ETIMEDOUT : strcmp(backend, nf->xenbus.backend_path) == 0;
    kmem_free(backend);
    return there;
}

/* Nobody waits for the backend, but somebody may wonder. Once for each wait. */
static void complain(struct netfront *nf)
{
    if (nf->complain_ns == TIME_NEVER || time_now_ns() < nf->complain_ns)
        return;
    log_warn("%s: not connected yet: backend %s is in state %u, we are in %u", nf->dev.name,
             nf->xenbus.backend_path, xenbus_backend_state(&nf->xenbus), nf->xenbus.state);
    nf->complain_ns = TIME_NEVER;
}

static void follow(struct netfront *nf)
{
    nf->complain_ns = time_after_ns(COMPLAIN_NS);
    while (nf->xenbus.state == XenbusStateConnected || is_there(nf)) {
        uint64_t deadline_ns = TIME_NEVER;

        if (step(nf))
            continue;
        if (nf->xenbus.state != XenbusStateClosed && !nf->up) {
            complain(nf);
            deadline_ns = nf->complain_ns;
        } else if (nf->xenbus.state == XenbusStateClosed && time_now_ns() < nf->retry_ns) {
            deadline_ns = nf->retry_ns;
        }
        signal_wait(&nf->look, deadline_ns);
        if (load_once(&nf->look_again) && !is_there(nf))
            break;
    }
    if (nf->connected)
        close_connection(nf);
}

/* "00:16:3e:12:34:56", of one host. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
    for (unsigned int i = 0; i < 18; i++) {
        char c = text[i], lower = c | 0x20;
        unsigned int digit =
            c >= '0' && c <= '9' ? (unsigned int)(c - '0') : (unsigned int)(lower - 'a') + 10;

        if (i % 3 == 2) {
            if (c != (i == 17 ? '\0' : ':'))
                return false;
            continue;
        }
        if (digit > 15)
            return false;
        mac[i / 3] = (uint8_t)(mac[i / 3] << 4 | digit);
    }
    return !(mac[0] & 1);
}

static int read_mac(struct netfront *nf)
{
    char path[sizeof(nf->xenbus.path) + 8], *text = NULL;
    int rc;

    format_text(path, sizeof(path), "%s/mac", nf->xenbus.path);
    rc = xenstore_read(XBT_NIL, path, &text, NULL);
    if (rc == 0 && !parse_mac(text, nf->dev.mac)) {
        log_error("%s: %s is '%.40s', not the address of an interface", nf->dev.name, path, text);
        rc = -XEN_EINVAL;
    }
    kmem_free(text);
    return rc;
}

static int open_interface(struct netfront *nf)
{
    int rc = xenbus_open(&nf->xenbus, "vif", nf->id);

    if (rc == 0) {
        rc = read_mac(nf);
        if (rc == 0 && netfront_is_others(nf->dev.mac))
            rc = -XEN_EEXIST;
        if (rc)
            xenbus_forget(&nf->xenbus);
    }
    return rc;
}

void netfront_live(struct netfront *nf)
{
    int rc;

    while ((rc = open_interface(nf)) == -XEN_ETIMEDOUT)
        log_warn("%s: xenstore does not answer; trying again", nf->dev.name);
    if (rc) {
        if (rc == -XEN_EEXIST)
            log_info("%s: not used: a card with its address is", nf->dev.name);
        else if (rc != -XEN_ENOENT)
            log_error("%s: not used: %s", nf->dev.name, error_name(rc));
        return;
    }
    nf->broken = false;
    nf->published = 0;
    nf->pause_ns = 0;
    nf->carrier = true;
    nf->dev.ops = &netfront_ops;
    nf->dev.driver = nf;
    xenbus_notify(&nf->xenbus, &nf->look);
    netdev_add(&nf->dev);
    follow(nf);
    netdev_remove(&nf->dev);
    carrier_forget(nf);
    xenbus_forget(&nf->xenbus);
}
