/* SPDX-License-Identifier: MIT
 *
 * The fake xenstored: the tree, the requests, and the bytes.  Follows Xen docs/misc/xenstore.txt.
 */
#include "tests/host/fake_xenstored.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/irq.h"
#include "events/events.h"
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "lib/types.h"
#include "xenbus/xenstore.h"

#define HOME    "/local/domain/7"
#define NODES   8192
#define WATCHES 64
#define PENDING 64

struct node {
    char *path, *value, *perms;
};

struct watch {
    char *path, *full, *token;
};

struct change { /* a write in a transaction */
    uint32_t tx;
    char *path, *value;
};

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
static struct node nodes[NODES];
static unsigned int nr_nodes;
static struct watch watches[WATCHES];
static struct change changes[PENDING];
static unsigned int nr_changes;
static uint32_t next_tx = 100;
static unsigned long generation;
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

static void send_message(uint32_t type, uint32_t req_id, uint32_t tx_id, const void *payload,
                         uint32_t len)
{
    struct xsd_sockmsg header = { .type = type, .req_id = req_id, .tx_id = tx_id, .len = len };

    send_raw(&header, sizeof(header));
    send_raw(payload, len);
}

static const char *full_path(const char *path)
{
    static char full[8192];

    if (path[0] == '/' || path[0] == '@')
        snprintf(full, sizeof(full), "%s", path);
    else
        snprintf(full, sizeof(full), HOME "/%s", path);
    return full;
}

static struct node *find(const char *path)
{
    const char *full = full_path(path);

    for (unsigned int i = 0; i < nr_nodes; i++) {
        if (strcmp(nodes[i].path, full) == 0)
            return &nodes[i];
    }
    return NULL;
}

static bool is_below(const char *path, const char *top)
{
    size_t len = strlen(top);

    return strncmp(path, top, len) == 0 && (path[len] == 0 || path[len] == '/' || len == 1);
}

static void fire(const char *path)
{
    char *full = strdup(full_path(path));

    for (unsigned int i = 0; i < WATCHES; i++) {
        const char *shown = full;
        char payload[4096];
        int len;

        if (!watches[i].path || !is_below(full, watches[i].full))
            continue;
        if (watches[i].path[0] != '/' && strncmp(full, HOME "/", sizeof(HOME)) == 0)
            shown += sizeof(HOME);
        len = snprintf(payload, sizeof(payload), "%s%c%s", shown, 0, watches[i].token);
        send_message(XS_WATCH_EVENT, 0, 0, payload, len + 1);
    }
    free(full);
}

/* What was below a removed path is gone with it: watches there hear of it, as from the real daemon.
 */
static void fire_below(const char *top)
{
    for (unsigned int i = 0; i < WATCHES; i++) {
        char payload[4096];
        int len;

        if (!watches[i].path || !is_below(watches[i].full, top) ||
            strcmp(watches[i].full, top) == 0)
            continue;
        len = snprintf(payload, sizeof(payload), "%s%c%s", watches[i].path, 0, watches[i].token);
        send_message(XS_WATCH_EVENT, 0, 0, payload, len + 1);
    }
}

static void set(const char *path, const char *value)
{
    struct node *node = find(path);

    generation++;
    if (!node && nr_nodes < NODES) {
        node = &nodes[nr_nodes++];
        node->path = strdup(full_path(path));
        node->perms = strdup("n7");
        node->value = NULL;
    }
    free(node->value);
    node->value = strdup(value);
    fire(path);
}

static bool remove_below(const char *path)
{
    char *top = strdup(full_path(path));
    bool found = false;

    generation++;
    for (unsigned int i = 0; i < nr_nodes;) {
        if (is_below(nodes[i].path, top)) {
            free(nodes[i].path);
            free(nodes[i].value);
            free(nodes[i].perms);
            nodes[i] = nodes[--nr_nodes];
            found = true;
        } else {
            i++;
        }
    }
    if (found) {
        fire(top);
        fire_below(top);
    }
    free(top);
    return found;
}

/* The names below a path, each with its NUL; length. */
static size_t list(const char *path, char *names, size_t size)
{
    const char *full = full_path(path);
    size_t top_len = strlen(full), len = 0;

    for (unsigned int i = 0; i < nr_nodes; i++) {
        const char *name = nodes[i].path + top_len + 1;

        if (strcmp(nodes[i].path, full) == 0 || !is_below(nodes[i].path, full))
            continue;
        if (strchr(name, '/') || len + strlen(name) + 1 > size)
            continue; /* the fake has a node for each directory in between, or does not list it */
        strcpy(names + len, name);
        len += strlen(name) + 1;
    }
    return len;
}

static const char *directory(const struct xsd_sockmsg *request, const char *payload)
{
    static char names[1 << 18], part[XENSTORE_PAYLOAD_MAX];
    size_t len = list(payload, names, sizeof(names)), from, head;

    if (!len && !find(payload))
        return "ENOENT";
    if (request->type == XS_DIRECTORY) {
        if (len > XENSTORE_PAYLOAD_MAX)
            return "E2BIG";
        send_message(request->type, request->req_id, request->tx_id, names, len);
        return NULL;
    }
    if (fake_xenstored.no_directory_part)
        return "ENOSYS";
    from = strtoul(payload + strlen(payload) + 1, NULL, 10);
    head = snprintf(part, sizeof(part), "%lu", generation) + 1;
    while (from < len && head + strlen(names + from) + 2 <= sizeof(part)) {
        strcpy(part + head, names + from);
        head += strlen(names + from) + 1;
        from += strlen(names + from) + 1;
    }
    if (from >= len)
        part[head++] = 0;
    send_message(request->type, request->req_id, request->tx_id, part, head);
    return NULL;
}

static const char *read_node(const struct xsd_sockmsg *request, const char *payload)
{
    struct node *node = find(payload);
    const char *value = node ? node->value : NULL;

    for (unsigned int i = 0; i < nr_changes; i++) {
        if (request->tx_id && changes[i].tx == request->tx_id &&
            strcmp(changes[i].path, full_path(payload)) == 0)
            value = changes[i].value;
    }
    if (!value)
        return "ENOENT";
    send_message(XS_READ, request->req_id, request->tx_id, value, strlen(value));
    return NULL;
}

static const char *write_node(const struct xsd_sockmsg *request, const char *payload)
{
    size_t path_len = strlen(payload) + 1;
    char *value = strndup(payload + path_len, request->len - path_len);

    if (request->tx_id && nr_changes < PENDING)
        changes[nr_changes++] =
            (struct change){ request->tx_id, strdup(full_path(payload)), strdup(value) };
    else
        set(payload, value);
    free(value);
    return "OK";
}

static const char *end_transaction(const struct xsd_sockmsg *request, const char *payload)
{
    bool conflict = payload[0] == 'T' && fake_xenstored.conflicts;
    unsigned int kept = 0;

    fake_xenstored.open_transactions--;
    fake_xenstored.conflicts -= conflict;
    for (unsigned int i = 0; i < nr_changes; i++) {
        struct change change = changes[i];

        if (change.tx != request->tx_id) {
            changes[kept++] = change;
            continue;
        }
        if (payload[0] == 'T' && !conflict)
            set(change.path, change.value);
        free(change.path);
        free(change.value);
    }
    nr_changes = kept;
    return conflict ? "EAGAIN" : "OK";
}

static const char *watch_node(const char *payload)
{
    const char *token = payload + strlen(payload) + 1;
    struct watch *free_one = NULL;
    char event[4096];
    int len;

    for (unsigned int i = 0; i < WATCHES; i++) {
        if (!watches[i].path)
            free_one = free_one ? free_one : &watches[i];
        else if (strcmp(watches[i].path, payload) == 0 && strcmp(watches[i].token, token) == 0)
            return "EEXIST";
    }
    if (!free_one)
        return "E2BIG";
    *free_one = (struct watch){ strdup(payload), strdup(full_path(payload)), strdup(token) };
    len = snprintf(event, sizeof(event), "%s%c%s", payload, 0, token);
    send_message(XS_WATCH_EVENT, 0, 0, event, len + 1); /* before the reply, as xenstored may */
    return "OK";
}

static void drop_watch(struct watch *watch)
{
    free(watch->path);
    free(watch->full);
    free(watch->token);
    *watch = (struct watch){ NULL, NULL, NULL };
}

static const char *unwatch_node(const char *payload)
{
    for (unsigned int i = 0; i < WATCHES; i++) {
        if (watches[i].path && strcmp(watches[i].path, payload) == 0 &&
            strcmp(watches[i].token, payload + strlen(payload) + 1) == 0) {
            drop_watch(&watches[i]);
            return "OK";
        }
    }
    return "ENOENT";
}

/* "OK", an error's name, or NULL when the reply was sent. */
static const char *answer(const struct xsd_sockmsg *request, const char *payload)
{
    struct node *node;
    char text[64];

    switch (request->type) {
    case XS_READ:
        return read_node(request, payload);
    case XS_WRITE:
        return write_node(request, payload);
    case XS_MKDIR:
        if (!find(payload))
            set(payload, "");
        return "OK";
    case XS_RM:
        return remove_below(payload) ? "OK" : "ENOENT";
    case XS_DIRECTORY:
    case XS_DIRECTORY_PART:
        return directory(request, payload);
    case XS_GET_PERMS:
        node = find(payload);
        if (!node)
            return "ENOENT";
        send_message(XS_GET_PERMS, request->req_id, request->tx_id, node->perms,
                     strlen(node->perms) + 1);
        return NULL;
    case XS_SET_PERMS:
        node = find(payload);
        if (!node)
            return "EACCES";
        free(node->perms);
        node->perms = strdup(payload + strlen(payload) + 1); /* the first only */
        return "OK";
    case XS_TRANSACTION_START:
        snprintf(text, sizeof(text), "%u", next_tx++);
        fake_xenstored.open_transactions++;
        send_message(request->type, request->req_id, 0, text, strlen(text) + 1);
        return NULL;
    case XS_TRANSACTION_END:
        return end_transaction(request, payload);
    case XS_WATCH:
        return watch_node(payload);
    case XS_UNWATCH:
        return unwatch_node(payload);
    case XS_RESET_WATCHES:
        for (unsigned int i = 0; i < WATCHES; i++)
            drop_watch(&watches[i]);
        return "OK";
    case XS_GET_DOMAIN_PATH:
        snprintf(text, sizeof(text), "/local/domain/%s", payload);
        send_message(request->type, request->req_id, 0, text, strlen(text) + 1);
        return NULL;
    case XS_IS_DOMAIN_INTRODUCED:
        send_message(request->type, request->req_id, 0, strcmp(payload, "0") ? "F" : "T", 2);
        return NULL;
    default:
        return "EINVAL";
    }
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
    text = answer(request, payload);
    if (text)
        send_message(strcmp(text, "OK") ? XS_ERROR : request->type, request->req_id, request->tx_id,
                     text, strlen(text) + 1);
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
            for (unsigned int i = 0; i < WATCHES; i++)
                drop_watch(&watches[i]);
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
        set(path, value);
    else
        remove_below(path);
    pthread_mutex_unlock(&lock);
    wake_daemon(NULL);
}

const char *fake_xenstored_get(const char *path)
{
    static char value[8192];
    struct node *node;

    pthread_mutex_lock(&lock);
    node = find(path);
    if (node)
        snprintf(value, sizeof(value), "%s", node->value);
    pthread_mutex_unlock(&lock);
    return node ? value : NULL;
}

void fake_xenstored_send(uint32_t type, uint32_t req_id, uint32_t tx_id, const void *payload,
                         uint32_t len)
{
    pthread_mutex_lock(&lock);
    send_message(type, req_id, tx_id, payload, len);
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
    unsigned int count = 0;

    pthread_mutex_lock(&lock);
    for (unsigned int i = 0; i < WATCHES; i++)
        count += watches[i].path && strcmp(watches[i].path, path) == 0;
    pthread_mutex_unlock(&lock);
    return count;
}

const char *fake_xenstored_token(const char *path)
{
    static char token[256];

    token[0] = 0;
    pthread_mutex_lock(&lock);
    for (unsigned int i = 0; i < WATCHES; i++) {
        if (watches[i].path && strcmp(watches[i].path, path) == 0)
            snprintf(token, sizeof(token), "%s", watches[i].token);
    }
    pthread_mutex_unlock(&lock);
    return token;
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
