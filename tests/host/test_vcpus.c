/* SPDX-License-Identifier: MIT
 *
 * cpu/N/availability as xl writes it, and as it does not.
 */
#include <time.h>
#include "control/control.h"
#include "kernel/smp.h"
#include "lib/log.h"
#include "tests/host/fake_smp.h"
#include "tests/host/fake_xenstored.h"
#include "tests/host/test.h"

static void set(unsigned int vcpu, const char *availability)
{
    char path[40];

    snprintf(path, sizeof(path), "cpu/%u/availability", vcpu);
    fake_xenstored_set(path, availability);
}

static void connect_with(unsigned int vcpus)
{
    fake_smp.vcpus = vcpus;
    fake_xenstored_start(0);
    fake_xenstored_connect();
    log_level = LOG_WARN;
}

static bool online(unsigned int vcpu)
{
    return vcpu_set_has(&vcpus_online, vcpu);
}

static void watch_four(void)
{
    connect_with(4);
    for (unsigned int vcpu = 0; vcpu < 4; vcpu++)
        set(vcpu, "online");
    control_start_vcpus();
    control_watch_vcpus();
    CHECK_SOON(fake_xenstored_watches("cpu") == 1);
}

TEST(offline_ones_are_not_started)
{
    connect_with(5);
    set(1, "online");
    set(2, "offline");
    set(3, "online");
    control_start_vcpus(); /* cpu/4 is not there at all */
    CHECK(online(1) && !online(2) && online(3) && online(4));
    CHECK_EQ(fake_logged("warning"), 0);
}

TEST(one_vcpu_asks_nothing)
{
    connect_with(1);
    control_start_vcpus();
    control_watch_vcpus();
    CHECK_EQ(fake_xenstored.requests[XS_READ], 0);
    CHECK_EQ(fake_xenstored_watches("cpu"), 0);
}

TEST(nonsense_is_online)
{
    connect_with(2);
    set(1, "maybe");
    control_start_vcpus();
    CHECK(online(1));
    CHECK_EQ(fake_logged("cpu/1/availability is 'maybe'"), 1);
}

TEST(silent_xenstored_is_asked_once)
{
    struct timespec before, after;

    connect_with(8);
    fake_xenstored.silent = true;
    clock_gettime(CLOCK_MONOTONIC, &before);
    control_start_vcpus();
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK_EQ(vcpu_set_count(&vcpus_online), 8);
    CHECK_LT(after.tv_sec - before.tv_sec, 4); /* not a second for each */
}

TEST(they_come_and_go)
{
    watch_four();
    set(3, "offline");
    CHECK_SOON(!online(3));
    set(1, "offline");
    CHECK_SOON(!online(1));
    CHECK(online(2));
    set(3, "online");
    CHECK_SOON(online(3));
    CHECK_EQ(fake_logged("error"), 0);
}

TEST(vcpu_0_stays)
{
    watch_four();
    set(0, "offline");
    CHECK_SOON(fake_logged("vCPU 0 stays") >= 1);
    CHECK(online(0));
}

TEST(failure_is_said)
{
    watch_four();
    fake_smp.error = -XEN_ETIMEDOUT;
    set(2, "offline");
    CHECK_SOON(fake_logged("cpu/2/availability is offline: not done: ETIMEDOUT") >= 1);
}

/* A node nobody of us knows, and one that is taken away: as it was. */
TEST(other_nodes_change_nothing)
{
    watch_four();
    fake_xenstored_set("cpu/99/availability", "offline");
    fake_xenstored_set("cpu/2/availability", NULL);
    fake_pause_ms(20);
    CHECK_EQ(vcpu_set_count(&vcpus_online), 4);
}

/* What was asked while xenstored did not answer is done when it does, and nothing else meanwhile.
 */
TEST(change_outlives_a_silent_xenstored)
{
    watch_four();
    set(2, "offline");
    CHECK_SOON(!online(2));
    fake_xenstored.silent = true;
    set(3, "offline");
    fake_pause_ms(1500);
    CHECK(online(3) && !online(2));
    fake_xenstored.silent = false;
    CHECK_SOON(!online(3));
    CHECK(!online(2));
}
