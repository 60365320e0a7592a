/* SPDX-License-Identifier: MIT
 *
 * What the fake xenstored holds: nodes, transactions and watches; and its answers to requests.
 * Follows Xen docs/misc/xenstore.txt.  Its lock is held whenever something here is called.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/host/fake_xenstored_private.h"
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

static struct node nodes[NODES];
static unsigned int nr_nodes;
static struct watch watches[WATCHES];
static struct change changes[PENDING];
static unsigned int nr_changes;
static uint32_t next_tx = 100;
static unsigned long generation;

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
        xenstored_send(XS_WATCH_EVENT, 0, 0, payload, len + 1);
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
        xenstored_send(XS_WATCH_EVENT, 0, 0, payload, len + 1);
    }
}

void tree_set(const char *path, const char *value)
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

bool tree_remove(const char *path)
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
        xenstored_send(request->type, request->req_id, request->tx_id, names, len);
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
    xenstored_send(request->type, request->req_id, request->tx_id, part, head);
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
    xenstored_send(XS_READ, request->req_id, request->tx_id, value, strlen(value));
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
        tree_set(payload, value);
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
            tree_set(change.path, change.value);
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
    xenstored_send(XS_WATCH_EVENT, 0, 0, event, len + 1); /* before the reply, as xenstored may */
    return "OK";
}

static void drop_watch(struct watch *watch)
{
    free(watch->path);
    free(watch->full);
    free(watch->token);
    *watch = (struct watch){ NULL, NULL, NULL };
}

void tree_forget_watches(void)
{
    for (unsigned int i = 0; i < WATCHES; i++)
        drop_watch(&watches[i]);
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

const char *tree_answer(const struct xsd_sockmsg *request, const char *payload)
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
            tree_set(payload, "");
        return "OK";
    case XS_RM:
        return tree_remove(payload) ? "OK" : "ENOENT";
    case XS_DIRECTORY:
    case XS_DIRECTORY_PART:
        return directory(request, payload);
    case XS_GET_PERMS:
        node = find(payload);
        if (!node)
            return "ENOENT";
        xenstored_send(XS_GET_PERMS, request->req_id, request->tx_id, node->perms,
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
        xenstored_send(request->type, request->req_id, 0, text, strlen(text) + 1);
        return NULL;
    case XS_TRANSACTION_END:
        return end_transaction(request, payload);
    case XS_WATCH:
        return watch_node(payload);
    case XS_UNWATCH:
        return unwatch_node(payload);
    case XS_RESET_WATCHES:
        tree_forget_watches();
        return "OK";
    case XS_GET_DOMAIN_PATH:
        snprintf(text, sizeof(text), "/local/domain/%s", payload);
        xenstored_send(request->type, request->req_id, 0, text, strlen(text) + 1);
        return NULL;
    case XS_IS_DOMAIN_INTRODUCED:
        xenstored_send(request->type, request->req_id, 0, strcmp(payload, "0") ? "F" : "T", 2);
        return NULL;
    default:
        return "EINVAL";
    }
}

const char *tree_value(const char *path)
{
    const struct node *node = find(path);

    return node ? node->value : NULL;
}

unsigned int tree_watches(const char *path, const char **token)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < WATCHES; i++) {
        if (!watches[i].path || strcmp(watches[i].path, path) != 0)
            continue;
        count++;
        *token = watches[i].token;
    }
    return count;
}
