/* SPDX-License-Identifier: MIT
 *
 * The fake xenconsoled.  Behaves like tools/console/daemon/io.c where a guest can see it.
 */
#include "tests/host/fake_xenconsoled.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "arch/clock.h"
#include "arch/irq.h"
#include "console/console.h"
#include "events/events.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/types.h"

#define PERIOD_NS (200 * NS_PER_MS)
#define ALLOWED   30

struct fake_xenconsoled fake_xenconsoled;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t kicked = PTHREAD_COND_INITIALIZER;
/* held: lock */
static bool kick;
static unsigned int notices; /* how often it was told to look */
static char *output;
static size_t output_len, output_size;
static uint64_t period_end_ns;
static unsigned int period_events;

static void outside_the_guest(void)
{
    static struct percpu outside; /* not a vCPU of the guest */

    fake_percpu = &outside;
    fake_percpu->vcpu = MAX_VCPUS;
    fake_percpu->vcpu_info.evtchn_upcall_mask = 1;
}

static void keep(char c)
{
    if (output_len + 1 >= output_size) {
        output_size = output_size ? output_size * 2 : 4096;
        output = realloc(output, output_size);
    }
    output[output_len++] = c;
}

/* Held and left with the lock. */
static void raise_event(void)
{
    pthread_mutex_unlock(&lock);
    fake_port_raise(fake_xenconsoled.port);
    pthread_mutex_lock(&lock);
}

static void read_ring(void)
{
    struct xencons_interface *ring = fake_xenconsoled.ring;
    uint32_t cons = ring->out_cons, prod = load_acquire(&ring->out_prod);

    if (prod == cons || prod - cons > sizeof(ring->out))
        return;
    if (fake_xenconsoled.gulp)
        prod = cons + MIN(prod - cons, fake_xenconsoled.gulp);
    for (; cons != prod; cons++)
        keep(ring->out[MASK_XENCONS_IDX(cons, ring->out)]);
    store_release(&ring->out_cons, cons);
    raise_event();
    kick |= ring->out_cons != load_acquire(&ring->out_prod) && fake_xenconsoled.gulp;
}

/* held: lock. The rest of the period is slept through. */
static void count_event(void)
{
    uint64_t now_ns = arch_clock_ns();

    fake_xenconsoled.events++;
    if (now_ns >= period_end_ns) {
        period_end_ns = now_ns + PERIOD_NS;
        period_events = 0;
    }
    if (++period_events <= ALLOWED || !fake_xenconsoled.throttle)
        return;
    fake_xenconsoled.throttled++;
    pthread_mutex_unlock(&lock);
    while (arch_clock_ns() < period_end_ns)
        fake_pause_ms(1);
    pthread_mutex_lock(&lock);
}

static void *daemon_thread(void *arg)
{
    (void)arg;
    outside_the_guest();
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!kick)
            pthread_cond_wait(&kicked, &lock);
        kick = false;
        count_event();
        if (fake_xenconsoled.pause_ms) {
            pthread_mutex_unlock(&lock);
            fake_pause_ms(fake_xenconsoled.pause_ms);
            pthread_mutex_lock(&lock);
        }
        if (!fake_xenconsoled.silent)
            read_ring();
    }
    return NULL;
}

static void wake_daemon(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    kick = true;
    notices++;
    pthread_cond_signal(&kicked);
    pthread_mutex_unlock(&lock);
}

void fake_xenconsoled_kick(void)
{
    wake_daemon(NULL);
}

static void no_timer(void *arg)
{
    (void)arg;
}

void fake_xenconsoled_start(uint32_t index)
{
    static struct timer timer;
    struct xencons_interface *ring = fake_pages_reserve(1);
    pthread_t thread;

    memset(ring, 0x5a, sizeof(*ring)); /* old bytes may lie there */
    ring->in_cons = ring->in_prod = index;
    ring->out_cons = ring->out_prod = index;
    fake_xenconsoled.ring = ring;
    if (events_init(fake_shared_info, EVENTS_AUTO))
        abort();
    upcalls_enable();
    timer_init(&timer, no_timer, NULL);
    timer_arm(&timer, 0); /* the fake's first must come with upcalls open */
    fake_xenconsoled.port = fake_port_open();
    fake_port_on_sent(fake_xenconsoled.port, wake_daemon, NULL);
    if (pthread_create(&thread, NULL, daemon_thread, NULL))
        abort();
    pthread_detach(thread);
    console_early_init(ring, fake_xenconsoled.port);
}

size_t fake_xenconsoled_type(const char *text, size_t len, unsigned int timeout_ms)
{
    struct xencons_interface *ring = fake_xenconsoled.ring;
    size_t done = 0;

    while (done < len) {
        uint32_t prod = ring->in_prod;
        unsigned int told = load_acquire(&notices);

        if (prod - load_acquire(&ring->in_cons) == sizeof(ring->in)) {
            /* As the real one: looks again when an event says so, not before. */
            for (; told == load_acquire(&notices) && timeout_ms; timeout_ms--)
                fake_pause_ms(1);
            if (!timeout_ms)
                break;
            continue;
        }
        ring->in[MASK_XENCONS_IDX(prod, ring->in)] = text[done++];
        store_release(&ring->in_prod, prod + 1);
        if (done == len || prod + 1 - load_acquire(&ring->in_cons) == sizeof(ring->in))
            fake_port_raise(fake_xenconsoled.port);
    }
    return done;
}

const char *fake_xenconsoled_output(size_t *len)
{
    static char *copy;

    pthread_mutex_lock(&lock);
    copy = realloc(copy, output_len + 1);
    if (output_len)
        memcpy(copy, output, output_len);
    copy[output_len] = 0;
    if (len)
        *len = output_len;
    pthread_mutex_unlock(&lock);
    return copy;
}
