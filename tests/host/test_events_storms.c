/* SPDX-License-Identifier: MIT
 *
 * Ports that never stop: each is slowed down, and no edge is lost.
 */
#include "tests/host/events_test.h"

static unsigned int armed;
static uint64_t armed_delay_ns;

static void note_arm(uint64_t delay_ns)
{
    armed++;
    armed_delay_ns = delay_ns;
}

/* A remote that answers each handling with the next edge, at once; gives up after a million. */
static void raise_again(evtchn_port_t port, void *arg)
{
    if (++*(unsigned int *)arg < 1000000)
        fake_port_raise(port);
}

TEST_BOTH_ABIS(storm_is_bounded_and_loses_no_edge)
{
    evtchn_port_t port = fake_port_open(), quiet = bound_port();
    unsigned int storm = 0, first;

    events_set_throttle(note_arm);
    CHECK_EQ(event_bind(port, raise_again, &storm), 0);
    fake_port_raise(port); /* without a bound this would not come back before the million */
    first = storm;
    CHECK_LE(first, 512);
    CHECK_EQ(armed, 1);
    CHECK_LE(armed_delay_ns, 10 * NS_PER_MS);
    CHECK(event_pending(port));
    fake_port_raise(quiet); /* others are served meanwhile */
    CHECK_EQ(hits, 1);
    events_unthrottle();
    CHECK_GT(storm, first);
    CHECK_LE(storm, first + 512);
    CHECK_EQ(armed, 2);
}

TEST_BOTH_ABIS(storm_mask_and_driver_mask_are_apart)
{
    evtchn_port_t port = fake_port_open();
    unsigned int storm = 0, before;

    events_set_throttle(note_arm);
    CHECK_EQ(event_bind(port, raise_again, &storm), 0);
    fake_port_raise(port);
    before = storm;
    event_mask(port);
    event_unmask(port);
    CHECK_EQ(storm, before); /* a driver can't undo the throttle */
    event_mask(port);
    events_unthrottle();
    CHECK_EQ(storm, before); /* nor the throttle the driver's mask */
    event_unmask(port);
    CHECK_GT(storm, before);
}

TEST_BOTH_ABIS(unbind_of_a_throttled_port)
{
    evtchn_port_t port = fake_port_open(), again;
    unsigned int storm = 0;

    events_set_throttle(note_arm);
    CHECK_EQ(event_bind(port, raise_again, &storm), 0);
    fake_port_raise(port);
    event_unbind(port);
    CHECK_EQ(event_alloc_unbound(0, count_event, &hits, &again), 0);
    CHECK_EQ(again, port);
    fake_port_raise(again);
    CHECK_EQ(hits, 1);
    events_unthrottle();
    CHECK_EQ(hits, 1);
}

TEST_BOTH_ABIS(calm_port_is_never_throttled)
{
    evtchn_port_t port = bound_port();

    events_set_throttle(note_arm);
    for (unsigned int i = 0; i < 2000; i++) {
        fake_port_raise(port);
        fake_time_skip(20 * NS_PER_US); /* 50,000 per second */
    }
    CHECK_EQ(hits, 2000);
    CHECK_EQ(armed, 0);
}

static void send_again(evtchn_port_t port, void *arg)
{
    if (++*(unsigned int *)arg < 5000)
        event_notify(port);
}

TEST_BOTH_ABIS(own_ipi_is_never_throttled)
{
    evtchn_port_t ipi;

    events_set_throttle(note_arm);
    CHECK_EQ(event_bind_ipi(0, send_again, &hits, &ipi), 0);
    CHECK_EQ(event_notify(ipi), 0);
    CHECK_EQ(hits, 5000);
    CHECK_EQ(armed, 0);
}
