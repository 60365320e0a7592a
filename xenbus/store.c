/* SPDX-License-Identifier: MIT
 *
 * The xenstore requests, one function each: what goes into the message, what the reply must look
 * like.  Who asks when, and how messages travel, is client.c.  Follows Xen docs/misc/xenstore.txt.
 */
#include <string.h>
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/internal.h"

#define TRANSACTION_TRIES 16

/* A request whose reply says nothing beyond "OK". */
static int call_plain(uint32_t type, xenstore_tx_t tx, const struct store_piece *pieces,
                      unsigned int count)
{
    struct store_reply reply;
    int rc = store_call(&reply, type, tx, pieces, count);

    if (rc == 0)
        store_reply_free(&reply);
    return rc;
}

/* The payload has to be `count` strings, each with its NUL. */
static int reply_strings(struct store_reply *reply, unsigned int *count)
{
    *count = 0;
    if (reply->len && reply->data[reply->len - 1]) {
        store_close("unterminated strings of len", reply->len);
        return -XEN_EPROTO;
    }
    for (uint32_t i = 0; i < reply->len; i++)
        *count += reply->data[i] == 0;
    return 0;
}

int store_parse_unsigned(const char *text, size_t len, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;

    if (!len)
        return -XEN_EINVAL;
    for (size_t i = 0; i < len; i++) {
        unsigned int digit = (unsigned char)text[i] - '0';

        if (digit > 9 || sum > max / 10 || digit > max - sum * 10)
            return -XEN_EINVAL;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return 0;
}

/* The reply's memory, or -XEN_ENOMEM. */
static int keep(struct store_reply *reply, char **kept)
{
    *kept = store_reply_keep(reply);
    return *kept ? 0 : -XEN_ENOMEM;
}

int xenstore_read(xenstore_tx_t tx, const char *path, char **value, size_t *len)
{
    struct store_reply reply;
    int rc = store_call(&reply, XS_READ, tx, STORE_PIECES({ path, strlen(path) + 1 }));

    if (rc)
        return rc;
    if (len)
        *len = reply.len;
    return keep(&reply, value);
}

int xenstore_write(xenstore_tx_t tx, const char *path, const void *value, size_t len)
{
    return call_plain(XS_WRITE, tx, STORE_PIECES({ path, strlen(path) + 1 }, { value, len }));
}

int xenstore_mkdir(xenstore_tx_t tx, const char *path)
{
    return call_plain(XS_MKDIR, tx, STORE_PIECES({ path, strlen(path) + 1 }));
}

int xenstore_rm(xenstore_tx_t tx, const char *path)
{
    return call_plain(XS_RM, tx, STORE_PIECES({ path, strlen(path) + 1 }));
}

/* A request about `path` that is answered with strings. */
static int read_strings(uint32_t type, xenstore_tx_t tx, const char *path, char **strings,
                        unsigned int *count)
{
    struct store_reply reply;
    int rc = store_call(&reply, type, tx, STORE_PIECES({ path, strlen(path) + 1 }));

    if (rc)
        return rc;
    rc = reply_strings(&reply, count);
    if (rc == 0)
        rc = keep(&reply, strings);
    store_reply_free(&reply);
    return rc;
}

int xenstore_directory(xenstore_tx_t tx, const char *path, char **names, unsigned int *count)
{
    int rc = read_strings(XS_DIRECTORY, tx, path, names, count);

    return rc == -XEN_E2BIG ? store_directory_parts(tx, path, names, count) : rc;
}

int xenstore_get_perms(xenstore_tx_t tx, const char *path, char **perms, unsigned int *count)
{
    return read_strings(XS_GET_PERMS, tx, path, perms, count);
}

int xenstore_set_perms(xenstore_tx_t tx, const char *path, const char *const *perms,
                       unsigned int count)
{
    struct store_piece pieces[1 + STORE_PERMS_MAX] = { { path, strlen(path) + 1 } };

    if (count > STORE_PERMS_MAX)
        return -XEN_E2BIG;
    for (unsigned int i = 0; i < count; i++)
        pieces[1 + i] = (struct store_piece){ perms[i], strlen(perms[i]) + 1 };
    return call_plain(XS_SET_PERMS, tx, pieces, 1 + count);
}

/* A request about a domain. */
static int call_domid(struct store_reply *reply, uint32_t type, domid_t domid)
{
    char text[8];
    int len = format_text(text, sizeof(text), "%u", domid);

    return store_call(reply, type, XBT_NIL, STORE_PIECES({ text, len + 1U }));
}

int xenstore_domain_path(domid_t domid, char **path)
{
    struct store_reply reply;
    unsigned int strings;
    int rc = call_domid(&reply, XS_GET_DOMAIN_PATH, domid);

    if (rc)
        return rc;
    rc = reply_strings(&reply, &strings);
    if (rc == 0)
        rc = keep(&reply, path);
    store_reply_free(&reply);
    return rc;
}

int xenstore_is_domain_introduced(domid_t domid, bool *introduced)
{
    struct store_reply reply;
    int rc = call_domid(&reply, XS_IS_DOMAIN_INTRODUCED, domid);

    if (rc)
        return rc;
    if (reply.len && (reply.data[0] == 'T' || reply.data[0] == 'F')) {
        *introduced = reply.data[0] == 'T';
    } else {
        store_close("IS_DOMAIN_INTRODUCED neither T nor F, len", reply.len);
        rc = -XEN_EPROTO;
    }
    store_reply_free(&reply);
    return rc;
}

int xenstore_transaction_start(xenstore_tx_t *tx)
{
    struct store_reply reply;
    uint64_t id;
    int rc = store_call(&reply, XS_TRANSACTION_START, XBT_NIL, STORE_PIECES({ "", 1 }));

    if (rc)
        return rc;
    if (store_parse_unsigned(reply.data, strlen(reply.data), UINT32_MAX, &id) || id == XBT_NIL) {
        store_close("TRANSACTION_START without an id, len", reply.len);
        rc = -XEN_EPROTO;
    } else {
        *tx = id;
    }
    store_reply_free(&reply);
    return rc;
}

int xenstore_transaction_end(xenstore_tx_t tx, bool commit)
{
    return call_plain(XS_TRANSACTION_END, tx, STORE_PIECES({ commit ? "T" : "F", 2 }));
}

int xenstore_transaction(int (*body)(xenstore_tx_t tx, void *arg), void *arg)
{
    xenstore_tx_t tx;
    int rc = -XEN_EAGAIN;

    for (unsigned int i = 0; i < TRANSACTION_TRIES && rc == -XEN_EAGAIN; i++) {
        rc = xenstore_transaction_start(&tx);
        if (rc)
            return rc;
        rc = body(tx, arg);
        if (rc) {
            xenstore_transaction_end(tx, false);
            return rc;
        }
        rc = xenstore_transaction_end(tx, true);
    }
    return rc;
}

int xenstore_printf(xenstore_tx_t tx, const char *path, const char *format, ...)
{
    char text[256];
    va_list args;
    int len;

    va_start(args, format);
    len = format_text_v(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text))
        return -XEN_E2BIG;
    return xenstore_write(tx, path, text, len);
}

int xenstore_read_unsigned(xenstore_tx_t tx, const char *path, uint64_t max, uint64_t *value)
{
    struct store_reply reply;
    int rc = store_call(&reply, XS_READ, tx, STORE_PIECES({ path, strlen(path) + 1 }));

    if (rc)
        return rc;
    rc = store_parse_unsigned(reply.data, reply.len, max, value);
    store_reply_free(&reply);
    return rc;
}
