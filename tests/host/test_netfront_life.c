/* SPDX-License-Identifier: MIT
 *
 * An interface's life in xenstore: backends that are late, restart or vanish, memory that is out;
 * and what is left when it is over.
 */
#include "grant/grant.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "tests/host/netfront_interface.h"

static bool nothing_held(void)
{
    struct netbuf_stats bufs;
    struct grant_stats grants;

    netbuf_get_stats(&bufs);
    grant_get_stats(&grants);
    return grants.used == 0 && bufs.total == bufs.pooled;
}

TEST(backend_comes_late)
{
    start();
    make_frontend(); /* no backend at all */
    CHECK_SOON(count_of(&added) == 1);
    fake_pause_ms(50);
    CHECK_EQ(count_of(&ups), 0);
    set_back("state", "1");
    fake_pause_ms(20);
    make_backend();
    CHECK_SOON(count_of(&ups) == 1);
}

TEST(backend_says_connected_late)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
    netdev_listen(&listener);
    CHECK_EQ(netfront_start(), 0);
    make_backend();
    make_frontend();
    CHECK_SOON(number_of("state") == 4);
    fake_pause_ms(50);
    CHECK_EQ(count_of(&ups), 0);
    CHECK_EQ(fake_logged("not connected yet"), 0);
    fake_time_skip(5 * NS_PER_S);
    CHECK_SOON(fake_logged("not connected yet: backend " BACK " is in state 2, we are in 4") == 1);
    fake_time_skip(100 * NS_PER_S);
    set_back("state", "4");
    CHECK_SOON(count_of(&ups) == 1);
    CHECK_EQ(fake_logged("not connected yet"), 1);
}

TEST(interface_is_detached_and_nothing_stays)
{
    unsigned long live = 0;
    evtchn_port_t tx_port, rx_port;

    start();
    for (unsigned int i = 1; i <= 5; i++) {
        make_backend();
        make_frontend();
        CHECK_SOON(count_of(&ups) == i);
        tx_port = number_of("event-channel-tx");
        rx_port = number_of("event-channel-rx");
        set_back("online", "0");
        set_back("state", "5");
        CHECK_SOON(count_of(&downs) == i);
        CHECK_SOON(fake_xenstored_get(BACK "/state") && number_of("state") == 6);
        fake_xenstored_set(FRONT, NULL);
        fake_xenstored_set(BACK, NULL);
        CHECK_SOON(count_of(&removed) == i);
        CHECK_SOON(nothing_held());
        CHECK(!fake_port_is_open(tx_port) && !fake_port_is_open(rx_port));
        CHECK_SOON(fake_xenstored_watches(BACK "/state") == 0);
        fake_pause_ms(20); /* the thread's own end */
        if (i == 2)
            live = fake_alloc_live();
    }
    CHECK_EQ(fake_alloc_live(), live);
    CHECK_EQ(fake_logged("error"), 0);
}

TEST(directory_vanishes_without_a_word)
{
    start();
    connect();
    fake_xenstored_set(FRONT, NULL);
    fake_xenstored_set(BACK, NULL);
    CHECK_SOON(count_of(&removed) == 1);
    CHECK_SOON(nothing_held());
}

TEST(backend_restarts)
{
    start();
    connect();
    for (unsigned int i = 2; i <= 4; i++) {
        struct fake_netback back;

        set_back("state", i % 2 ? "2" : "5"); /* one way or the other */
        CHECK_SOON(count_of(&ups) == i);
        CHECK_EQ(count_of(&downs), i - 1);
        received = 0;
        attach(&back);
        netback_deliver(&back, 60, 0, 0);
        fake_port_raise(number_of("event-channel-rx"));
        CHECK_SOON(count_of(&received) == 1);
        detach(&back);
    }
    CHECK_EQ(count_of(&added), 1);
    CHECK_EQ(count_of(&removed), 0);
}

/* Keys of another form do not stay beside the new ones. */
TEST(backend_restarts_with_other_features)
{
    start();
    vcpu_set_add(&vcpus_online, 1);
    connect();
    CHECK_EQ(dev->features.queues, 2);
    set_back("multi-queue-max-queues", "1");
    set_back("feature-split-event-channels", "0");
    set_back("feature-sg", "0");
    set_back("state", "5");
    CHECK_SOON(count_of(&ups) == 2);
    CHECK_EQ(dev->features.queues, 1);
    CHECK(!dev->features.sg && !dev->features.gso_tcpv4);
    CHECK(fake_xenstored_get(FRONT "/queue-0/tx-ring-ref") == NULL);
    CHECK(fake_xenstored_get(FRONT "/queue-1") == NULL);
    CHECK(fake_xenstored_get(FRONT "/multi-queue-num-queues") == NULL);
    CHECK(fake_port_is_open(number_of("event-channel")));
    set_back("feature-split-event-channels", "1");
    set_back("state", "5");
    CHECK_SOON(count_of(&ups) == 3);
    CHECK(fake_xenstored_get(FRONT "/event-channel") == NULL);
    CHECK(fake_port_is_open(number_of("event-channel-tx")));
}

TEST(backend_of_a_life_before_ours)
{
    start();
    make_backend();
    set_back("state", "4");
    make_frontend();
    CHECK_SOON(count_of(&ups) == 1);
}

TEST(restarts_without_end_are_slowed_down)
{
    start();
    connect();
    for (unsigned int i = 0; i < 200; i++) {
        set_back("state", "5");
        fake_pause_ms(5);
    }
    CHECK_LE(count_of(&ups), 6);
}

TEST(memory_out_while_connecting)
{
    start();
    connect();
    for (long allowed = 0; allowed < 40; allowed += 3) {
        unsigned int before = count_of(&ups);

        fake_alloc_fail_after(allowed);
        set_back("state", "5");
        fake_pause_ms(20);
        fake_alloc_fail_after(-1);
        fake_time_skip(20 * NS_PER_S);
        set_back("state", "2"); /* it may have been given up */
        CHECK_SOON(count_of(&ups) > before);
    }
}

static void skip_seconds(void *done)
{
    while (!load_acquire((bool *)done)) {
        fake_pause_ms(20);
        fake_time_skip(NS_PER_S);
    }
}

TEST(xenstored_answers_late)
{
    struct thread *skipper;
    bool done = false;

    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored.hook = follow;
    netdev_listen(&listener);
    fake_xenstored.silent = true;
    CHECK_EQ(thread_create(&skipper, "skip", 0, PRIORITY_NORMAL, skip_seconds, &done), 0);
    CHECK_EQ(netfront_start(), 0); /* nobody has to wait for it */
    CHECK_EQ(fake_logged("device/vif: not watched yet"), 1);
    fake_pause_ms(200);
    store_release(&done, true);
    CHECK_EQ(thread_join(skipper, TIME_NEVER), 0);
    fake_xenstored.silent = false;
    for (unsigned int i = 0; i < 10 && fake_xenstored_watches("device/vif") == 0; i++) {
        fake_time_skip(16 * NS_PER_S);
        fake_pause_ms(200);
    }
    connect();
}

TEST(listener_comes_late)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored.hook = follow;
    CHECK_EQ(netfront_start(), 0);
    make_backend();
    make_frontend();
    CHECK_SOON(number_of("state") == 4);
    fake_pause_ms(50);
    netdev_listen(&listener);
    CHECK_SOON(count_of(&ups) == 1);
}
