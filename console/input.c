/* SPDX-License-Identifier: MIT
 *
 * Console input: from the ring into a bounded buffer, with the editing a terminal offers: echo,
 * erase, kill, end of input.  A full buffer leaves the bytes in the ring, so that xenconsoled holds
 * the typist back.  Follows Xen public/io/console.h.
 */
#include <string.h>
#include "console/internal.h"
#include "hypercall/event_channel.h"
#include "kernel/time.h"
#include "lib/log.h"

#define INPUT_SIZE 4096 /* longest line, and how far typing may run ahead of reading */

#define COPY_LOOK_NS (20 * NS_PER_MS)

#define CTRL_D    4
#define BACKSPACE 8
#define CTRL_U    21
#define DELETE    127

/* Free-running positions in `text`: what was read, what may be read, what is still edited. */
static struct {
    struct waitq q; /* readers; its lock is the input's lock, and console_out.q.lock nests inside */
    /* held: q.lock */
    enum console_mode mode;
    uint32_t read, ready, edit;
    uint32_t cons, told; /* ring positions: ours, and ours when the daemon was last told */
    bool started, broken, last_cr;
    bool ended; /* Ctrl-D on an empty line, behind all that is ready */
    uint64_t count;
} in = { .q = WAITQ_INIT(in.q) };

static char text[INPUT_SIZE];
int (*console_in_copy)(void);

/* All below: held: in.q.lock, unless they take it. */

static void echo(const char *bytes, size_t len)
{
    bool enabled = spin_lock_save(&console_out.q.lock);

    console_out_post(bytes, len, true);
    if (console_out_copy)
        console_out_copy(bytes, len);
    spin_unlock_restore(&console_out.q.lock, enabled);
}

static void echo_char(unsigned char c)
{
    char shown[2] = { '^', c ^ 0x40 };

    if (c >= ' ' || c == '\n' || c == '\t')
        echo((char *)&c, 1);
    else
        echo(shown, 2);
}

static char edited(uint32_t position)
{
    return text[position % INPUT_SIZE];
}

/* Take the last character of the edited line away; one of several bytes as a whole (UTF-8). */
static void erase(void)
{
    unsigned char c;

    do {
        c = edited(--in.edit);
    } while ((c & 0xc0) == 0x80 && in.edit != in.ready);
    if (c < ' ' && c != '\t')
        echo("\b\b  \b\b", 6);
    else
        echo("\b \b", 3);
}

static void append(char c)
{
    text[in.edit++ % INPUT_SIZE] = c;
}

/* One byte of input in line mode. */
static void edit(char c)
{
    bool second = in.last_cr && c == '\n'; /* of "\r\n": one line end, not two */

    in.last_cr = c == '\r';
    if (second)
        return;
    if (c == '\r')
        c = '\n';
    switch (c) {
    case BACKSPACE:
    case DELETE:
        if (in.edit != in.ready)
            erase();
        return;
    case CTRL_U:
        while (in.edit != in.ready)
            erase();
        return;
    case CTRL_D:
        in.ended = in.edit == in.ready;
        in.ready = in.edit;
        return;
    default:
        append(c);
        echo_char(c);
        if (c == '\n')
            in.ready = in.edit;
    }
}

static void take_byte(char c)
{
    in.count++;
    if (in.mode == CONSOLE_LINE) {
        edit(c);
    } else {
        append(c);
        in.ready = in.edit;
    }
}

static bool buffer_full(void)
{
    /* A line that fills the whole buffer is given out as it is: nothing else would ever free it. */
    if (in.edit - in.read == INPUT_SIZE && in.ready == in.read)
        in.ready = in.edit;
    return in.ended || in.edit - in.read == INPUT_SIZE;
}

/* Take what the ring has and the buffer holds. */
static void pump(void)
{
    struct xencons_interface *ring = console_out.ring;
    uint32_t prod, start = in.cons;

    if (!in.started || in.broken)
        return;
    prod = load_acquire(&ring->in_prod); /* pairs with the daemon's, after it wrote */
    if (prod - in.cons > sizeof(ring->in)) {
        in.broken = true;
        log_error("console: input closed: in_prod is %u where in_cons is %u", prod, in.cons);
        return;
    }
    while (in.cons != prod && !buffer_full()) {
        char c = load_once(&ring->in[MASK_XENCONS_IDX(in.cons, ring->in)]);

        in.cons++;
        take_byte(c);
    }
    if (in.cons == start)
        return;
    store_release(&ring->in_cons, in.cons); /* pairs with the daemon's read of in_cons */
    /* It waits for room only after it saw the ring full, and it has seen `told` at least. */
    if (prod - in.told >= sizeof(ring->in) / 2) {
        in.told = in.cons;
        hypercall_evtchn_send(console_out.port);
    }
}

static bool readable(void)
{
    return in.ready != in.read || in.ended || in.broken;
}

void console_in_event(void)
{
    bool enabled = waitq_lock(&in.q);

    if (!in.started) {
        in.cons = in.told = load_once(&console_out.ring->in_cons);
        in.started = true;
    }
    pump();
    if (readable())
        waitq_wake_one_locked(&in.q);
    waitq_unlock(&in.q, enabled);
}

void console_in_copy_service(void *unused)
{
    (void)unused;
    for (;;) {
        bool enabled = waitq_lock(&in.q);
        int c = -1;

        while (!buffer_full() && (c = console_in_copy()) >= 0)
            take_byte((char)c);
        if (readable())
            waitq_wake_one_locked(&in.q);
        waitq_unlock(&in.q, enabled);
        thread_sleep_until(time_after_ns(COPY_LOOK_NS));
    }
}

static size_t take(char *out, size_t len)
{
    size_t count = 0;

    while (count < len && in.read != in.ready) {
        out[count] = text[in.read++ % INPUT_SIZE];
        if (out[count++] == '\n' && in.mode == CONSOLE_LINE)
            break;
    }
    return count;
}

long console_read(char *out, size_t len, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&in.q);
    long rc = 0;

    while (!readable() && rc == 0)
        rc = waitq_sleep_interruptible(&in.q, deadline_ns);
    if (in.ready != in.read)
        rc = take(out, len);
    else if (in.ended)
        in.ended = false;
    else if (in.broken)
        rc = -XEN_EIO;
    pump(); /* there may be room now for bytes that were left in the ring */
    if (readable())
        waitq_wake_one_locked(&in.q); /* the next reader */
    waitq_unlock(&in.q, enabled);
    return rc;
}

size_t console_readable(void)
{
    bool enabled = waitq_lock(&in.q);
    size_t count = in.ready - in.read;

    waitq_unlock(&in.q, enabled);
    return count;
}

void console_set_mode(enum console_mode mode)
{
    bool enabled = waitq_lock(&in.q);

    in.mode = mode;
    in.ready = in.edit; /* what was typed of a line is given out */
    if (readable())
        waitq_wake_one_locked(&in.q);
    waitq_unlock(&in.q, enabled);
}

enum console_mode console_in_mode(void)
{
    return load_once(&in.mode);
}

uint64_t console_in_count(void)
{
    bool enabled = waitq_lock(&in.q);
    uint64_t count = in.count;

    waitq_unlock(&in.q, enabled);
    return count;
}
