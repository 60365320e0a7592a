/* SPDX-License-Identifier: MIT
 *
 * xenstored's answers to the fuzzed network frontend, right ones and what the input makes of them.
 */
#include <stdio.h>
#include <string.h>
#include "kernel/time.h"
#include "mm/kmem.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/netfront.h"
#include "xenbus/internal.h"

#define BACK "/local/domain/0/backend/vif/7/0"

struct xenstore_watch *state_watch, *carrier;
const char *answer;
static char state[8];

int xenstore_watch(struct xenstore_watch *watch)
{
    struct xenstore_watch **which = watch == &nf.carrier_watch ? &carrier : &state_watch;

    MUST(!*which);
    *which = watch;
    return 0;
}

int xenstore_unwatch(struct xenstore_watch *watch)
{
    struct xenstore_watch **which = watch == &nf.carrier_watch ? &carrier : &state_watch;

    MUST(watch == *which);
    *which = NULL;
    return 0;
}

void thread_sleep_until(uint64_t deadline_ns)
{
    guest_now_ns = deadline_ns;
}

/* What a key of the backend's is, by the input; NULL: not there. */
static const char *any_value(void)
{
    static char text[24];
    size_t len = sizeof(text) - 1;
    const uint8_t *bytes;

    switch (input_byte() % 8) {
    case 0:
        return NULL;
    case 1:
        return "0";
    case 2:
        return "4294967295";
    case 3:
        bytes = input_bytes(&len);
        memcpy(text, bytes, len);
        text[len] = 0;
        return text;
    default:
        return "1";
    }
}

static bool ends_in(const char *path, const char *end)
{
    size_t len = strlen(path), end_len = strlen(end);

    return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

static const char *value_of(const char *path)
{
    if (gone)
        return NULL;
    if (strcmp(path, BACK "/state") == 0)
        return state;
    if (ends_in(path, "/backend"))
        return BACK;
    if (ends_in(path, "/backend-id"))
        return "0";
    if (ends_in(path, "/mac") && input_byte() != 0xff)
        return "00:16:3e:00:00:01";
    if (ends_in(path, "/feature-rx-copy") && input_byte() != 0xff)
        return "1";
    return any_value();
}

int store_call(struct store_reply *reply, uint32_t type, xenstore_tx_t tx,
               const struct store_piece *pieces, unsigned int count)
{
    const char *value = "OK";

    (void)tx;
    (void)count;
    guest_now_ns += NS_PER_US;
    if (type == XS_WRITE && ends_in(pieces[0].data, "/state"))
        answer = (const char *[]){
            "", "2", "", "", "4", "5", "6"
        }[(*(const char *)pieces[1].data - '0') % 7];
    if (type == XS_READ)
        value = value_of(pieces[0].data);
    else if (type == XS_TRANSACTION_START)
        value = "1";
    else if (input_left() && input_byte() == 0xee)
        return -XEN_EAGAIN; /* any error */
    if (!value)
        return -XEN_ENOENT;
    reply->len = strlen(value);
    reply->data = kmem_alloc(reply->len + 1);
    memcpy(reply->data, value, reply->len);
    return 0;
}

void store_reply_free(struct store_reply *reply)
{
    kmem_free(reply->data);
}

char *store_reply_keep(struct store_reply *reply)
{
    return reply->data;
}

void store_close(const char *field, uint32_t value)
{
    (void)field;
    (void)value;
}

int store_directory_parts(xenstore_tx_t tx, const char *path, char **names, unsigned int *count)
{
    (void)tx;
    (void)path;
    (void)names;
    (void)count;
    return -XEN_E2BIG;
}

void set_state(const char *text)
{
    snprintf(state, sizeof(state), "%s", text);
    if (state_watch)
        state_watch->fn(state_watch, state_watch->path);
}
