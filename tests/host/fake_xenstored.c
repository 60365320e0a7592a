/* SPDX-License-Identifier: MIT
 *
 * The fake xenstored: the daemon, its ring, and the bytes.  What it holds: fake_xenstored_tree.c.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/irq.h"
#include "events/events.h"
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "lib/types.h"
#include "tests/host/fake_xenstored_private.h"
#include "xenbus/xenstore.h"

/* Whoever has this daemon wants the fake kernel: without a reference the linker could take the real
 * one. */
__attribute__((used)) static int (*const fake_kernel)(struct thread **, const char *, unsigned int,
                                                      enum thread_priority, void (*)(void *),
                                                      void *) = thread_create;

struct fake_xenstored fake_xenstored;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t kicked = PTHREAD_COND_INITIALIZER;
static bool kick;
/* held: lock */
static char *out;
static size_t out_len, out_size;
static char in[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
static size_t in_len;

/* All below: held: lock, unless they take it. */

static void send_raw(const void *bytes, size_t len)
{
    if (out_len + len > out_size) {
        out_size = (out_len + len) * 2;
        out = realloc(out, out_size);
    }
    if (len)
        memcpy(out + out_len, bytes, len);
    out_len += len;
}

void xenstored_send(uint32_t type, uint32_t req_id, uint32_t tx_id, const void *payload,
                    uint32_t len)
{
    struct xsd_sockmsg header = { .type = type, .req_id = req_id, .tx_id = tx_id, .len = len };

    send_raw(&header, sizeof(header));
    send_raw(payload, len);
}

static void handle(const struct xsd_sockmsg *request, const char *payload)
{
    const char *text;

    if (request->type < XS_TYPE_COUNT)
        fake_xenstored.requests[request->type]++;
    if (fake_xenstored.hook) {
        bool (*hook)(const struct xsd_sockmsg *, const char *) = fake_xenstored.hook;
        bool done;

        pthread_mutex_unlock(&lock);
        done = hook(request, payload);
        pthread_mutex_lock(&lock);
        if (done)
            return;
    }
    text = tree_answer(request, payload);
    if (text)
        xenstored_send(strcmp(text, "OK") ? XS_ERROR : request->type, request->req_id,
                       request->tx_id, text, strlen(text) + 1);
}

/* One request, or none when it is not complete. */
static bool next_request(char *copy)
{
    struct xenstore_domain_interface *ring = fake_xenstored.ring;
    uint32_t cons = ring->req_cons, prod = load_acquire(&ring->req_prod);
    struct xsd_sockmsg header;
    size_t want = sizeof(header);

    for (; cons != prod; cons++) {
        if (in_len >= sizeof(header)) {
            memcpy(&header, in, sizeof(header));
            want = sizeof(header) + header.len;
            if (header.len > XENSTORE_PAYLOAD_MAX)
                abort();
        }
        if (in_len == want)
            break;
        in[in_len++] = ring->req[MASK_XENSTORE_IDX(cons)];
    }
    if (cons != ring->req_cons) {
        store_release(&ring->req_cons, cons);
        pthread_mutex_unlock(&lock);
        fake_port_raise(fake_xenstored.port);
        pthread_mutex_lock(&lock);
    }
    if (in_len < sizeof(header))
        return false;
    memcpy(&header, in, sizeof(header));
    if (in_len < sizeof(header) + header.len)
        return false;
    memcpy(copy, in, in_len);
    copy[in_len] = 0;
    in_len = 0;
    return true;
}

static void serve_reversed(void)
{
    static char copies[16][sizeof(in) + 1];
    unsigned int count = 0;

    while (count < 16 && next_request(copies[count]))
        count++;
    while (count--) {
        struct xsd_sockmsg header;

        memcpy(&header, copies[count], sizeof(header));
        handle(&header, copies[count] + sizeof(header));
    }
}

static void serve(void)
{
    static char copy[sizeof(in) + 1];
    struct xsd_sockmsg header;

    while (next_request(copy)) {
        memcpy(&header, copy, sizeof(header));
        handle(&header, copy + sizeof(header));
    }
}

/* Bytes into the ring as room and `chunk` allow. */
static void write_out(void)
{
    struct xenstore_domain_interface *ring = fake_xenstored.ring;

    while (out_len && !fake_xenstored.mute) {
        uint32_t prod = ring->rsp_prod, cons = load_acquire(&ring->rsp_cons);
        size_t len = MIN(out_len, XENSTORE_RING_SIZE - (size_t)(prod - cons));

        if (fake_xenstored.chunk)
            len = MIN(len, fake_xenstored.chunk);
        if (!len)
            return; /* the guest says when it has read */
        for (size_t i = 0; i < len; i++)
            ring->rsp[MASK_XENSTORE_IDX(prod + i)] = out[i];
        memmove(out, out + len, out_len - len);
        out_len -= len;
        store_release(&ring->rsp_prod, prod + len);
        pthread_mutex_unlock(&lock);
        fake_port_raise(fake_xenstored.port);
        if (fake_xenstored.chunk)
            fake_pause_ms(1);
        pthread_mutex_lock(&lock);
    }
}

static void *daemon_thread(void *arg)
{
    static struct percpu outside; /* not a vCPU of the guest */

    (void)arg;
    fake_percpu = &outside;
    fake_percpu->vcpu = MAX_VCPUS;
    fake_percpu->vcpu_info.evtchn_upcall_mask = 1;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!kick)
            pthread_cond_wait(&kicked, &lock);
        kick = false;
        if (load_acquire(&fake_xenstored.ring->connection) == XENSTORE_RECONNECT) {
            tree_forget_watches();
            in_len = out_len = 0;
            fake_xenstored.ring->req_cons = fake_xenstored.ring->req_prod;
            fake_xenstored.ring->rsp_prod = fake_xenstored.ring->rsp_cons;
            store_release(&fake_xenstored.ring->connection, XENSTORE_CONNECTED);
            pthread_mutex_unlock(&lock);
            fake_port_raise(fake_xenstored.port);
            pthread_mutex_lock(&lock);
        }
        if (!fake_xenstored.silent) {
            if (fake_xenstored.reverse)
                serve_reversed();
            else
                serve();
        }
        write_out();
    }
    return NULL;
}

static void wake_daemon(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    kick = true;
    pthread_cond_signal(&kicked);
    pthread_mutex_unlock(&lock);
}

void fake_xenstored_start(uint32_t index)
{
    pthread_t thread;

    fake_xenstored.ring = fake_pages_reserve(1);
    memset(fake_xenstored.ring, 0x5a, sizeof(*fake_xenstored.ring)); /* old bytes may lie there */
    fake_xenstored.ring->req_prod = fake_xenstored.ring->req_cons = index;
    fake_xenstored.ring->rsp_prod = fake_xenstored.ring->rsp_cons = index;
    fake_xenstored.ring->server_features = 0;
    fake_xenstored.ring->connection = XENSTORE_CONNECTED;
    if (events_init(fake_shared_info, EVENTS_AUTO))
        abort();
    upcalls_enable();
    fake_upcalls_to_thread();
    fake_xenstored.port = fake_port_open();
    fake_port_on_sent(fake_xenstored.port, wake_daemon, NULL);
    if (pthread_create(&thread, NULL, daemon_thread, NULL))
        abort();
    pthread_detach(thread);
}

void fake_xenstored_set(const char *path, const char *value)
{
    pthread_mutex_lock(&lock);
    if (value)
        tree_set(path, value);
    else
        tree_remove(path);
    pthread_mutex_unlock(&lock);
    wake_daemon(NULL);
}

const char *fake_xenstored_get(const char *path)
{
    static char copy[8192];
    const char *value;

    pthread_mutex_lock(&lock);
    value = tree_value(path);
    if (value)
        snprintf(copy, sizeof(copy), "%s", value);
    pthread_mutex_unlock(&lock);
    return value ? copy : NULL;
}

void fake_xenstored_send(uint32_t type, uint32_t req_id, uint32_t tx_id, const void *payload,
                         uint32_t len)
{
    pthread_mutex_lock(&lock);
    xenstored_send(type, req_id, tx_id, payload, len);
    pthread_mutex_unlock(&lock);
    wake_daemon(NULL);
}

void fake_xenstored_send_raw(const void *bytes, size_t len)
{
    pthread_mutex_lock(&lock);
    send_raw(bytes, len);
    pthread_mutex_unlock(&lock);
    wake_daemon(NULL);
}

unsigned int fake_xenstored_watches(const char *path)
{
    const char *token;
    unsigned int count;

    pthread_mutex_lock(&lock);
    count = tree_watches(path, &token);
    pthread_mutex_unlock(&lock);
    return count;
}

const char *fake_xenstored_token(const char *path)
{
    static char copy[256];
    const char *token = "";

    pthread_mutex_lock(&lock);
    tree_watches(path, &token);
    snprintf(copy, sizeof(copy), "%s", token);
    pthread_mutex_unlock(&lock);
    return copy;
}

bool fake_xenstored_idle(void)
{
    bool idle;

    pthread_mutex_lock(&lock);
    idle =
        !out_len && load_acquire(&fake_xenstored.ring->rsp_cons) == fake_xenstored.ring->rsp_prod;
    pthread_mutex_unlock(&lock);
    return idle;
}

void fake_xenstored_connect(void)
{
    if (xenstore_init(fake_xenstored.ring, fake_xenstored.port))
        fake_domain_ends("no connection to the fake xenstored");
}
