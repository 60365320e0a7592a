/* SPDX-License-Identifier: MIT
 *
 * What no backend should write into xenstore or its rings: the interface is closed or goes on, and
 * says why.
 */
#include "kernel/time.h"
#include "lib/log.h"
#include "tests/host/netfront_interface.h"

TEST(nonsense_in_a_ring_closes_the_interface)
{
    struct fake_netback back;

    start();
    connect();
    attach(&back);
    back.rx->rsp_prod = 5000;
    fake_port_raise(number_of("event-channel-rx"));
    CHECK_SOON(count_of(&downs) == 1);
    CHECK_SOON(number_of("state") == 6);
    CHECK_EQ(fake_logged("vif0: backend: rx rsp_prod is 5000: interface closed"), 1);
    CHECK(fake_xenstored_get("error/device/vif/0/error") != NULL);
    detach(&back);
    fake_pause_ms(200);
    CHECK_EQ(count_of(&ups), 1); /* it is not asked again */
    set_back("state", "2");      /* but may restart */
    CHECK_SOON(count_of(&ups) == 2);
}

TEST(backend_without_copying)
{
    start();
    make_backend();
    set_back("feature-rx-copy", "0");
    make_frontend();
    CHECK_SOON(fake_logged("feature-rx-copy is not 1") == 1);
    CHECK_SOON(number_of("state") == 6);
    CHECK_EQ(count_of(&ups), 0);
}

TEST(backend_numbers_nonsense)
{
    static const char *const keys[] = { "feature-sg", "multi-queue-max-queues",
                                        "feature-split-event-channels" };

    start();
    vcpu_set_add(&vcpus_online, 1);
    make_backend();
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        set_back(keys[i], "99999999999999999999");
    make_frontend();
    CHECK_SOON(count_of(&ups) == 1);
    CHECK(!dev->features.sg && !dev->features.gso_tcpv4);
    CHECK_EQ(dev->features.queues, 1);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        CHECK_GE(fake_logged(keys[i]), 1);
}

TEST(queues_none)
{
    start();
    make_backend();
    set_back("multi-queue-max-queues", "0");
    make_frontend();
    CHECK_SOON(count_of(&ups) == 1);
    CHECK_EQ(dev->features.queues, 1);
}

TEST(mtu_read_and_judged)
{
    start();
    make_backend();
    fake_xenstored_set(FRONT "/mtu", "9000");
    make_frontend();
    CHECK_SOON(count_of(&ups) == 1);
    CHECK_EQ(dev->features.mtu, 9000);
    set_back("feature-sg", "0"); /* one page, one Ethernet frame */
    set_back("state", "5");
    CHECK_SOON(count_of(&ups) == 2);
    CHECK_EQ(dev->features.mtu, 1500);
    fake_xenstored_set(FRONT "/mtu", "67");
    set_back("state", "5");
    CHECK_SOON(count_of(&ups) == 3);
    CHECK_EQ(dev->features.mtu, 1500);
    CHECK_EQ(fake_logged("is no MTU"), 1);
}

TEST(mac_nonsense)
{
    static const char *const bad[] = { "",
                                       "00:16:3e:01:02",
                                       "00:16:3e:01:02:03:04",
                                       "00:16:3e:01:02:0g",
                                       "01:16:3e:01:02:03",
                                       "00-16-3e-01-02-03" };

    start();
    make_backend();
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        make_frontend_of(bad[i]);
        CHECK_SOON(fake_logged("not the address of an interface") >= i + 1);
    }
}

static bool is_used(const uint8_t mac[6])
{
    return mac[5] == 0xfe;
}

/* An emulated card has it: the two are one interface. */
TEST(mac_of_a_card_that_is_used)
{
    log_level = LOG_INFO;
    netfront_leave_to(is_used);
    start();
    make_backend();
    make_frontend();
    CHECK_SOON(fake_logged("not used: a card with its address is") >= 1);
    CHECK_EQ(number_of("state"), XenbusStateInitialising);
    CHECK_EQ(count_of(&added), 0);
}

TEST(directory_of_strange_names)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored.hook = follow;
    fake_xenstored_set("device/vif", "");
    fake_xenstored_set("device/vif/70000", "");
    fake_xenstored_set("device/vif/-1", "");
    fake_xenstored_set(FRONT, ""); /* in the midst of them one that is there before we are */
    make_backend();
    make_frontend();
    fake_xenstored_set("device/vif/1x", "");
    netdev_listen(&listener);
    CHECK_EQ(netfront_start(), 0);
    CHECK_SOON(fake_logged("not the name of an interface") == 3);
    CHECK_SOON(count_of(&ups) == 1);
}

TEST(backend_states_nonsense)
{
    static const char *const states[] = { "9", "", "four", "7", "0", "3" };

    start();
    connect();
    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        set_back("state", states[i]);
    fake_pause_ms(50);
    CHECK_EQ(count_of(&downs), 0);
    set_back("state", "4");
    set_back("state", "5");
    CHECK_SOON(count_of(&ups) == 2);
}
