/* SPDX-License-Identifier: MIT
 *
 * What an interface and its backend agree on: features, queues, the carrier.
 */
#include "kernel/time.h"
#include "lib/log.h"
#include "tests/host/netfront_interface.h"

TEST(connects_with_what_both_can)
{
    start();
    connect();
    CHECK_EQ(count_of(&added), 1);
    CHECK_STR(dev->name, "vif0");
    CHECK_MEM(dev->mac, "\x00\x16\x3e\x01\x02\xfe", 6);
    CHECK(dev->features.sg && dev->features.csum_ipv4 && dev->features.csum_ipv6);
    CHECK(dev->features.gso_tcpv4 && dev->features.gso_tcpv6 && dev->features.multicast_control);
    CHECK_EQ(dev->features.mtu, 1500);
    CHECK_EQ(dev->features.queues, 1);
    CHECK_STR(fake_xenstored_get(FRONT "/state"), "4");
    CHECK_EQ(number_of("request-rx-copy"), 1);
    CHECK_EQ(number_of("feature-rx-notify"), 1);
    CHECK_EQ(number_of("feature-sg"), 1);
    CHECK_EQ(number_of("feature-gso-tcpv4"), 1);
    CHECK_EQ(number_of("feature-gso-tcpv6"), 1);
    CHECK_EQ(number_of("feature-no-csum-offload"), 0);
    CHECK_EQ(number_of("feature-ipv6-csum-offload"), 1);
    CHECK_EQ(number_of("request-multicast-control"), 1);
    CHECK_NE(number_of("event-channel-tx"), number_of("event-channel-rx"));
    CHECK(fake_port_is_open(number_of("event-channel-tx")));
    CHECK(fake_port_is_open(number_of("event-channel-rx")));
    CHECK(fake_xenstored_get(FRONT "/event-channel") == NULL);
    CHECK(fake_xenstored_get(FRONT "/multi-queue-num-queues") == NULL);
    CHECK_EQ(fake_logged("warning") + fake_logged("error"), 0);
}

/* Never more at once than the fewest requests there are: the thread that posts more may be late. */
TEST(packets_come_by_event)
{
    struct fake_netback back;

    start();
    connect();
    attach(&back);
    for (unsigned int i = 1; i <= 600; i++) {
        netback_deliver(&back, 100, 0, 0);
        fake_port_raise(number_of("event-channel-rx"));
        if (i % 10 == 0)
            CHECK_SOON(count_of(&received) == i);
    }
}

TEST(without_what_the_backend_lacks)
{
    start();
    set_back("feature-rx-copy", "1");
    set_back("state", "2");
    make_frontend();
    CHECK_SOON(count_of(&ups) == 1);
    CHECK(!dev->features.sg && dev->features.csum_ipv4 && !dev->features.csum_ipv6);
    CHECK(!dev->features.gso_tcpv4 && !dev->features.gso_tcpv6 && !dev->features.multicast_control);
    CHECK_EQ(dev->features.queues, 1);
    CHECK(fake_port_is_open(number_of("event-channel")));
    CHECK(fake_xenstored_get(FRONT "/event-channel-tx") == NULL);
    CHECK_EQ(fake_logged("warning") + fake_logged("error"), 0);
}

TEST(without_what_was_turned_off)
{
    for (unsigned int i = 0; i < NETFRONT_FEATURES; i++)
        netfront_turn_off(i);
    start();
    connect();
    CHECK(!dev->features.sg && !dev->features.csum_ipv4 && !dev->features.csum_ipv6);
    CHECK(!dev->features.gso_tcpv4 && !dev->features.gso_tcpv6 && !dev->features.multicast_control);
    CHECK_EQ(number_of("feature-sg"), 0);
    CHECK_EQ(number_of("feature-gso-tcpv4"), 0);
    CHECK_EQ(number_of("feature-no-csum-offload"), 1);
    CHECK_EQ(number_of("feature-ipv6-csum-offload"), 0);
    CHECK(fake_port_is_open(number_of("event-channel")));
}

TEST(queue_for_each_vcpu)
{
    start();
    vcpu_set_add(&vcpus_online, 1);
    vcpu_set_add(&vcpus_online, 3);
    connect();
    CHECK_EQ(dev->features.queues, 3);
    CHECK_EQ(number_of("multi-queue-num-queues"), 3);
    CHECK(fake_xenstored_get(FRONT "/tx-ring-ref") == NULL);
    for (unsigned int i = 0; i < 3; i++) {
        char key[40];

        snprintf(key, sizeof(key), "queue-%u/tx-ring-ref", i);
        CHECK_GE(number_of(key), 8);
        snprintf(key, sizeof(key), "queue-%u/event-channel-rx", i);
        CHECK(fake_port_is_open(number_of(key)));
    }
    CHECK(fake_xenstored_get(FRONT "/queue-3/tx-ring-ref") == NULL);
}

TEST(fewer_queues_than_vcpus)
{
    start();
    vcpu_set_add(&vcpus_online, 1);
    vcpu_set_add(&vcpus_online, 2);
    make_backend();
    set_back("multi-queue-max-queues", "2");
    make_frontend();
    CHECK_SOON(count_of(&ups) == 1);
    CHECK_EQ(dev->features.queues, 2);
}

TEST(carrier_of_the_backend)
{
    start();
    connect();
    CHECK_EQ(count_of(&downs), 0);
    set_back("carrier", "0");
    CHECK_SOON(count_of(&downs) == 1);
    CHECK_STR(fake_xenstored_get(FRONT "/state"), "4");
    set_back("carrier", "1");
    CHECK_SOON(count_of(&ups) == 2);
    set_back("carrier", "nonsense");
    fake_pause_ms(50);
    CHECK_EQ(count_of(&downs), 1);
    fake_xenstored_set(BACK "/carrier", NULL);
    fake_pause_ms(50);
    CHECK_EQ(count_of(&downs), 1);
}

TEST(carrier_missing_from_the_start)
{
    start();
    set_back("carrier", "0");
    connect();
    CHECK_SOON(count_of(&downs) == 1);
    set_back("carrier", "1");
    CHECK_SOON(count_of(&ups) == 2);
}

static unsigned int bytes_of_old(void)
{
    struct netbuf *buf = netbuf_alloc();
    unsigned int count = 0;

    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        count += ((uint8_t *)netbuf_page(buf))[i] == 0xaa;
    memset(netbuf_page(buf), 0xaa, PAGE_SIZE);
    netbuf_put(buf);
    return count;
}

/* Driver domains 0 and 3. */
TEST(netbuf_of_another_backend_is_cleared)
{
    start();
    connect();
    bytes_of_old();
    CHECK_EQ(bytes_of_old(), PAGE_SIZE);
    fake_xenstored_set("/local/domain/3/backend/vif/7/1/feature-rx-copy", "1");
    fake_xenstored_set("/local/domain/3/backend/vif/7/1/state", "2");
    fake_xenstored_set("/local/domain/7/device/vif/1/mac", "00:16:3e:01:02:03");
    fake_xenstored_set("/local/domain/7/device/vif/1/backend-id", "3");
    fake_xenstored_set("/local/domain/7/device/vif/1/state", "1");
    fake_xenstored_set("/local/domain/7/device/vif/1/backend", "/local/domain/3/backend/vif/7/1");
    CHECK_SOON(bytes_of_old() == 0);
}
