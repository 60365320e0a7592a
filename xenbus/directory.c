/* SPDX-License-Identifier: MIT
 *
 * Directories whose list of names is longer than a message: read in parts, each with the
 * directory's generation, so that a change in between is noticed.  Follows Xen
 * docs/misc/xenstore.txt, DIRECTORY_PART.
 */
#include <string.h>
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/internal.h"

#define DIRECTORY_MAX   (256UL << 10) /* bytes of names; xenstored allows a guest 1000 nodes */
#define DIRECTORY_TRIES 8             /* times it may change while we read */

struct listing {
    char *names;
    size_t len, size;
    char generation[24];
    bool complete;
};

static int append(struct listing *listing, const char *names, size_t len)
{
    if (listing->len + len > listing->size) {
        size_t size = ROUND_UP(listing->len + len, XENSTORE_PAYLOAD_MAX) * 2;
        char *grown = listing->len + len > DIRECTORY_MAX ? NULL : kmem_alloc(size);

        if (!grown)
            return listing->len + len > DIRECTORY_MAX ? -XEN_E2BIG : -XEN_ENOMEM;
        if (listing->len)
            memcpy(grown, listing->names, listing->len);
        kmem_free(listing->names);
        listing->names = grown;
        listing->size = size;
    }
    if (len)
        memcpy(listing->names + listing->len, names, len);
    listing->len += len;
    return 0;
}

/* `part` is "generation\0name\0name\0...", and an empty name after the last. -XEN_EAGAIN: the
 * directory is not the one the other parts came from. */
static int take_part(struct listing *listing, const char *part, size_t len)
{
    size_t generation_len = strnlen(part, len) + 1;
    const char *names = part + generation_len;

    if (generation_len > sizeof(listing->generation) || len <= generation_len || part[len - 1]) {
        store_close("a malformed DIRECTORY_PART of len", len);
        return -XEN_EPROTO;
    }
    if (!listing->len)
        memcpy(listing->generation, part, generation_len);
    else if (strcmp(listing->generation, part))
        return -XEN_EAGAIN;
    len -= generation_len;
    /* An empty name ends the list. Nothing else in a list is empty. */
    listing->complete = len == 1 ? names[0] == 0 : names[len - 2] == 0;
    return append(listing, names, len - listing->complete);
}

static int read_part(xenstore_tx_t tx, const char *path, struct listing *listing)
{
    struct store_reply reply;
    char offset[12];
    int rc, len = format_text(offset, sizeof(offset), "%zu", listing->len);

    rc = store_call(&reply, XS_DIRECTORY_PART, tx,
                    STORE_PIECES({ path, strlen(path) + 1 }, { offset, len + 1U }));
    if (rc)
        return rc == -XEN_ENOSYS ? -XEN_E2BIG : rc; /* an old daemon: the list can't be had */
    rc = take_part(listing, reply.data, reply.len);
    store_reply_free(&reply);
    return rc;
}

int store_directory_parts(xenstore_tx_t tx, const char *path, char **names, unsigned int *count)
{
    struct listing listing = { .names = NULL };
    unsigned int tries = 0;
    int rc = 0;

    while (rc == 0 && !listing.complete) {
        rc = read_part(tx, path, &listing);
        if (rc == -XEN_EAGAIN && ++tries < DIRECTORY_TRIES) {
            listing.len = 0;
            rc = 0;
        }
    }
    if (rc == 0 && !listing.names) { /* shrunk to nothing meanwhile */
        listing.names = kmem_alloc(1);
        rc = listing.names ? 0 : -XEN_ENOMEM;
    }
    if (rc) {
        kmem_free(listing.names);
        return rc;
    }
    *names = listing.names;
    *count = 0;
    for (size_t i = 0; i < listing.len; i++)
        *count += listing.names[i] == 0;
    return 0;
}
