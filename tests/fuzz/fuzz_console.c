/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the console: the fuzzer plays xenconsoled, with indices from nowhere, and the guest's
 * threads and handlers.  As long as the indices are honest the output has to arrive whole, but for
 * what is counted.
 */
#include <stdlib.h>
#include <string.h>
#include "tests/fuzz/guest.h"
#include "console/ring.c"
#include "console/write.c"
#include "console/input.c"

static struct xencons_interface *ring;
static bool honest; /* the output's indices so far */
static uint64_t given, taken;

void other_end_notified(void)
{
}

/* There is no second console here. */
void thread_start_service(const char *name, void (*fn)(void *arg), void *arg)
{
    (void)name, (void)fn, (void)arg;
}

void thread_sleep_until(uint64_t deadline_ns)
{
    (void)deadline_ns;
}

/* The daemon reads `len` bytes. */
static void take_output(uint32_t len)
{
    uint32_t ready = ring->out_prod - ring->out_cons;

    if (!honest)
        return;
    MUST(ready <= sizeof(ring->out));
    len = MIN(len, ready);
    ring->out_cons += len;
    taken += len;
}

static void type_input(void)
{
    size_t len = input_byte();
    const uint8_t *bytes = input_bytes(&len);

    for (size_t i = 0; i < len && ring->in_prod - ring->in_cons < sizeof(ring->in); i++)
        ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = bytes[i];
}

static void act(uint8_t what)
{
    switch (what & 7) {
    case 0:
    case 1:
    case 2:
        take_output(what & 8 ? 4096 : input_byte());
        break;
    case 3:
    case 4:
        type_input();
        break;
    case 5:
        if (what < 0xf0)
            break;
        ring->out_cons = input_u32();
        honest = false;
        break;
    case 6:
        if (what >= 0xf0)
            ring->in_prod = input_u32();
        break;
    case 7:
        guest_now_ns += input_byte() * NS_PER_MS;
        break;
    }
    if (!(what & 0x10)) {
        console_event(1, NULL);
        MUST(ring->in_prod - in.cons <= sizeof(ring->in) || in.broken);
    }
    if (notify_timer.deadline_ns && notify_timer.deadline_ns <= guest_now_ns) {
        notify_timer.deadline_ns = 0;
        notify_due(NULL);
    }
}

bool other_end_turn(void)
{
    if (!input_left())
        return false;
    act(input_byte());
    return true;
}

static void guest_turn(uint8_t what)
{
    static char long_text[5000];
    char got[100];
    size_t len;
    const uint8_t *bytes;
    long rc;

    for (size_t i = 0; i < sizeof(long_text); i += 7)
        long_text[i] = '\n';
    switch (what % 9) {
    case 0:
        len = input_byte();
        bytes = input_bytes(&len);
        console_write((const char *)bytes, len);
        given += len;
        break;
    case 1:
        console_write(long_text, sizeof(long_text));
        given += sizeof(long_text);
        break;
    case 2:
    case 3:
        upcalls_disable(); /* as a handler does */
        console_write(long_text, 300 + what);
        given += 300 + what;
        upcalls_enable();
        break;
    case 4:
        rc = console_read(got, 1 + what % sizeof(got), guest_now_ns + NS_PER_MS);
        MUST(rc <= (long)sizeof(got));
        break;
    case 5:
        console_set_mode(what & 0x10 ? CONSOLE_RAW : CONSOLE_LINE);
        break;
    case 6:
        console_drain(guest_now_ns + 10 * NS_PER_MS);
        break;
    case 7:
        MUST(console_readable() <= INPUT_SIZE);
        break;
    case 8:
        act(input_byte());
        break;
    }
}

static void check_state(void)
{
    MUST(console_out.prod - console_out.cons <= sizeof(ring->out));
    MUST(console_out.backlog_len <= CONSOLE_BACKLOG);
    MUST(in.ready - in.read <= INPUT_SIZE);
    MUST(in.edit - in.ready <= INPUT_SIZE);
    MUST(in.edit - in.read <= INPUT_SIZE);
}

static void boot(uint32_t index)
{
    struct waitq q = WAITQ_INIT(console_out.q);

    console_out = (struct console_out){ .q = q, .backlog = backlog };
    memset(&in, 0, sizeof(in));
    waitq_init(&in.q);
    memset(ring, 0, sizeof(*ring));
    ring->in_cons = ring->in_prod = ring->out_cons = ring->out_prod = index;
    stalled = false;
    given = taken = 0;
    honest = true;
    notify_timer.deadline_ns = 0;
    console_out.ring = ring; /* console_early_init() would add one more log sink each time */
    console_out.port = 1;
    console_out.prod = console_out.notified = console_out.cons = index;
    console_init();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct console_stats stats;
    uint64_t echoed;

    input = (struct input){ data, data + size };
    if (!ring)
        ring = malloc(sizeof(*ring)); /* of exactly its size: an access beyond it is seen */
    boot(input_byte() & 1 ? 0xffffff00 : 0);
    while (input_left()) {
        guest_turn(input_byte());
        check_state();
    }
    console_get_stats(&stats);
    echoed = 8 * stats.bytes_in; /* at most: shown as "^X", then erased by six */
    MUST(stats.bytes_out + stats.dropped >= given);
    MUST(stats.bytes_out + stats.dropped <= given + echoed);
    if (honest) {
        MUST(!console_out.broken);
        while (console_drain(guest_now_ns + 1) == -XEN_ETIMEDOUT)
            take_output(4096);
        MUST(taken >= stats.bytes_out); /* "\r" and notices come on top */
        MUST(console_out.lost == 0);
    }
    return 0;
}
