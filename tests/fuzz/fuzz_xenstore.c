/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the xenstore client: the fuzzer plays xenstored.  Its input is a list of acts (answer
 * right, answer wrong, raw bytes, move an index, be silent), one of which is done whenever the
 * guest would wait. The client's files are included, so that each input starts from a domain that
 * has just booted.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tests/fuzz/guest.h"
#include "xenbus/client.c"
#include "xenbus/directory.c"
#include "xenbus/ring.c"
#include "xenbus/store.c"
/* Two files have a wake-up helper of the same kind. */
#include "xenbus/watch.c"

static struct xenstore_domain_interface *ring;
static struct xsd_sockmsg asked; /* the request last sent */
static unsigned int fired;

/* The request being read, as long as nobody moved its index. */
static char bytes[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
static size_t bytes_len;
static bool in_step;

/* What the guest sent: judged as xenstored would, a guest that breaks the protocol is a bug of
 * ours. */
static void read_requests(void)
{
    uint32_t prod = ring->req_prod;

    if (!in_step)
        return;
    MUST(prod - ring->req_cons <= XENSTORE_RING_SIZE);
    while (ring->req_cons != prod) {
        MUST(bytes_len < sizeof(bytes));
        bytes[bytes_len++] = ring->req[MASK_XENSTORE_IDX(ring->req_cons++)];
        if (bytes_len < sizeof(asked))
            continue;
        memcpy(&asked, bytes, sizeof(asked));
        MUST(asked.len <= XENSTORE_PAYLOAD_MAX && asked.type < XS_TYPE_COUNT);
        if (bytes_len == sizeof(asked) + asked.len)
            bytes_len = 0;
    }
}

void other_end_notified(void)
{
}

static void put(const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (ring->rsp_prod - ring->rsp_cons == XENSTORE_RING_SIZE)
            store_event(1, NULL); /* the daemon waits until the guest has read */
        if (ring->rsp_prod - ring->rsp_cons >= XENSTORE_RING_SIZE)
            return; /* it waits for memory: the rest is lost, and the stream with it */
        ring->rsp[MASK_XENSTORE_IDX(ring->rsp_prod)] = ((const char *)bytes)[i];
        ring->rsp_prod++;
    }
}

static void put_header(uint32_t type, uint32_t req_id, uint32_t len)
{
    struct xsd_sockmsg header = {
        .type = type, .req_id = req_id, .tx_id = asked.tx_id, .len = len
    };

    put(&header, sizeof(header));
}

static void put_message(uint32_t type, uint32_t req_id, const void *payload, uint32_t len)
{
    put_header(type, req_id, len);
    put(payload, len);
}

/* `size` bytes: some from the input, then a pattern, so that short inputs make long ones. */
static const char *fill(size_t size)
{
    static char filled[6000];
    size_t len = size < 64 ? size : input_byte();
    const uint8_t *from = input_bytes(&len);
    uint8_t how = input_byte();

    for (size_t i = 0; i < size; i++)
        filled[i] = i < len ? (char)from[i] : how & 2 && i % 16 == 15 ? 0 : 'a';
    if (size && how & 1)
        filled[size - 1] = 0;
    return filled;
}

/* True: the daemon did something; false: it is silent until the guest gives up. */
static bool act(void)
{
    static const uint16_t sizes[] = { 1,    16,   95,   96,   97,   200,  1008, 1024,
                                      1025, 3072, 4079, 4080, 4095, 4096, 4097, 5999 };
    uint8_t what = input_byte();
    size_t size = what & 0x80 ? sizes[what >> 3 & 15] : what >> 3 & 15;
    char event[64];

    switch (what & 7) {
    case 0: /* the right reply */
        put_message(asked.type, asked.req_id, fill(size), size);
        break;
    case 1:
        put_message(XS_ERROR, asked.req_id, fill(size), size);
        break;
    case 2: /* an event for a watch that exists */
        put_message(XS_WATCH_EVENT, 0, event,
                    snprintf(event, sizeof(event), "data/%.*s%c%x", (int)(size & 7), "abcdefg", 0,
                             watches.last_token) +
                        1);
        break;
    case 3:
        put_message(XS_WATCH_EVENT, 0, fill(size), size);
        break;
    case 4: /* any bytes */
        put(fill(size), size);
        break;
    case 5: /* a header that is nearly right, or right and the payload comes later */
        put_header(asked.type + (int8_t)input_byte(), asked.req_id + (int8_t)input_byte(), size);
        break;
    case 6: /* an index from nowhere */
        if (what & 0x40)
            ring->rsp_prod = input_u32();
        else
            ring->req_cons = input_u32();
        in_step = in_step && what & 0x40;
        break;
    case 7:
        if (what & 0x40)
            return false;
        put_message(XS_ERROR, asked.req_id, "E2BIG", 6); /* to DIRECTORY_PART */
        break;
    }
    return true;
}

bool other_end_turn(void)
{
    if (!input_left())
        return false;
    read_requests();
    if (!act())
        return false;
    store_event(1, NULL);
    if (ring->rsp_prod - ring->rsp_cons > XENSTORE_RING_SIZE)
        MUST(!store.open || memory_wanted());
    return true;
}

static void check_strings(const char *strings, unsigned int count)
{
    for (; count; count--)
        strings += strlen(strings) + 1; /* the sanitizer looks on */
}

static void count_event(struct xenstore_watch *watch, const char *path)
{
    (void)watch;
    MUST(strlen(path) < XENSTORE_PAYLOAD_MAX);
    fired++;
}

static struct xenstore_watch watch;

static int write_twice(xenstore_tx_t tx, void *arg)
{
    int rc = xenstore_printf(tx, "data/a", "%d", 1);

    (void)arg;
    return rc ? rc : xenstore_write(tx, "data/b", "", 0);
}

static void ask(unsigned int what)
{
    static char long_value[4000];
    char *text = NULL;
    unsigned int count = 0;
    uint64_t number;
    bool flag;
    size_t len;

    switch (what % 12) {
    case 0:
        if (xenstore_read(XBT_NIL, "data/a", &text, &len) == 0)
            MUST(text[len] == 0);
        break;
    case 1:
        xenstore_write(XBT_NIL, "data/long", long_value, sizeof(long_value));
        break;
    case 2:
    case 3:
        if (xenstore_directory(XBT_NIL, "data", &text, &count) == 0)
            check_strings(text, count);
        break;
    case 4:
        if (xenstore_get_perms(XBT_NIL, "data", &text, &count) == 0)
            check_strings(text, count);
        break;
    case 5:
        if (xenstore_domain_path(3, &text) == 0)
            MUST(strlen(text) <= XENSTORE_PAYLOAD_MAX);
        break;
    case 6:
        xenstore_is_domain_introduced(3, &flag);
        break;
    case 7:
        if (xenstore_read_unsigned(XBT_NIL, "data/n", 1000, &number) == 0)
            MUST(number <= 1000);
        break;
    case 8:
        xenstore_transaction(write_twice, NULL);
        break;
    case 9:
        if (!watch.fn) {
            watch = (struct xenstore_watch){ .path = "data", .fn = count_event };
            if (xenstore_watch(&watch))
                watch.fn = NULL;
        }
        break;
    case 10:
        if (watch.fn)
            xenstore_unwatch(&watch);
        watch.fn = NULL;
        break;
    case 11:
        xenstore_rm(XBT_NIL, "data");
        break;
    }
    kmem_free(text);
}

/* The watch thread's turn. */
static void run_watches(void)
{
    bool enabled = waitq_lock(&watches.q);
    struct xenstore_watch *due;

    while ((due = next_event()))
        due->fn(due, running_path);
    waitq_unlock(&watches.q, enabled);
}

static void boot(uint32_t index)
{
    char *outbox = store.out, *event = store.event;

    store = (struct store){ .room = WAITQ_INIT(store.room), .out = outbox, .event = event };
    list_init(&watches.watches);
    watches.len = watches.first = 0;
    watches.last_token = 0;
    watches.thread = (void *)&watches; /* "runs": run_watches() */
    watch.fn = NULL;
    memset(&asked, 0, sizeof(asked));
    bytes_len = 0;
    in_step = true;
    memset(ring, 0, sizeof(*ring));
    ring->req_cons = ring->req_prod = ring->rsp_cons = ring->rsp_prod = index;
    xenstore_init(ring, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = (struct input){ data, data + size };
    if (!ring)
        ring = malloc(sizeof(*ring)); /* of exactly its size: an access beyond it is seen */
    boot(input_byte() & 1 ? 0xfffffc00 : 0);
    for (unsigned int i = 0; i < 40 && input_left() && store.open; i++) {
        ask(input_byte());
        run_watches();
    }
    MUST(guest_blocks == 0);
    return 0;
}
