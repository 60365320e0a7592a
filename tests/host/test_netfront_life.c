/* SPDX-License-Identifier: MIT
 *
 * An interface's life in xenstore: backends that are late, restart, vanish, or write nonsense; and
 * what is left when it is over.
 */
#include <stdlib.h>
#include "grant/grant.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "netfront/internal.h"
#include "tests/host/fake_netback.h"
#include "tests/host/fake_xenstored.h"
#include "tests/host/test.h"

#define FRONT "/local/domain/7/device/vif/0"
#define BACK  "/local/domain/0/backend/vif/7/0"

static struct netdev *dev;
static unsigned int added, removed, ups, downs, received;

static void receive(struct netdev *from, unsigned int queue, struct netdev_packet *packet)
{
    CHECK(from == dev);
    CHECK_LT(queue, dev->features.queues);
    for (unsigned int i = 0; i < packet->nfrags; i++)
        netbuf_put(packet->frag[i].buf);
    atomic_fetch_add(&received, 1);
}

static void on_link(struct netdev *of, bool up)
{
    CHECK(of == dev);
    atomic_fetch_add(up ? &ups : &downs, 1);
}

static void on_added(struct netdev *new)
{
    dev = new;
    dev->receive = receive;
    dev->link = on_link;
    dev->filter_multicast = true;
    atomic_fetch_add(&added, 1);
}

static void on_removed(struct netdev *old)
{
    CHECK(old == dev);
    atomic_fetch_add(&removed, 1);
}

static const struct netdev_listener listener = { on_added, on_removed };

static unsigned int count_of(const unsigned int *count)
{
    return load_acquire(count);
}

static void set_back(const char *key, const char *value)
{
    char path[100];

    snprintf(path, sizeof(path), BACK "/%s", key);
    fake_xenstored_set(path, value);
}

/* What netback does when its frontend's state changes. */
static bool follow(const struct xsd_sockmsg *request, const char *payload)
{
    static const char path[] = "device/vif/0/state";

    if (request->type != XS_WRITE || strcmp(payload, path) || request->len != sizeof(path) + 1)
        return false;
    switch (payload[sizeof(path)] - '0') {
    case XenbusStateInitialising:
        set_back("state", "2");
        break;
    case XenbusStateConnected:
        set_back("state", "4");
        break;
    case XenbusStateClosing:
        set_back("state", "5");
        break;
    case XenbusStateClosed:
        set_back("state", "6");
        break;
    }
    return false;
}

static void make_frontend_of(const char *mac)
{
    fake_xenstored_set(FRONT "/mac", mac);
    fake_xenstored_set(FRONT "/backend-id", "0");
    fake_xenstored_set(FRONT "/state", "1");
    fake_xenstored_set(FRONT "/backend", BACK);
}

static void make_frontend(void)
{
    make_frontend_of("00:16:3e:01:02:fE");
}

static void make_backend(void)
{
    set_back("online", "1");
    set_back("feature-rx-copy", "1");
    set_back("feature-sg", "1");
    set_back("feature-gso-tcpv4", "1");
    set_back("feature-gso-tcpv6", "1");
    set_back("feature-ipv6-csum-offload", "1");
    set_back("feature-split-event-channels", "1");
    set_back("feature-multicast-control", "1");
    set_back("multi-queue-max-queues", "8");
    set_back("state", "2");
}

static void start(void)
{
    fake_xenstored_start(0);
    fake_xenstored_connect();
    fake_xenstored.hook = follow;
    netdev_listen(&listener);
    CHECK_EQ(netfront_start(), 0);
}

static unsigned long number_of(const char *key)
{
    char path[100];
    const char *value;

    snprintf(path, sizeof(path), FRONT "/%s", key);
    value = fake_xenstored_get(path);
    return value ? strtoul(value, NULL, 10) : 0;
}

static void connect(void)
{
    make_backend();
    make_frontend();
    CHECK_SOON(count_of(&ups) == 1);
}

static void attach(struct fake_netback *back)
{
    netback_attach(back, number_of("tx-ring-ref"), number_of("rx-ring-ref"));
}

static void detach(struct fake_netback *back)
{
    netback_detach(back, number_of("tx-ring-ref"), number_of("rx-ring-ref"));
}

static bool nothing_held(void)
{
    struct netbuf_stats bufs;
    struct grant_stats grants;

    netbuf_get_stats(&bufs);
    grant_get_stats(&grants);
    return grants.used == 0 && bufs.total == bufs.pooled;
}

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

/* --- the control ring --- */

static struct xen_netif_ctrl_request asked[16];
static unsigned int nr_asked;
static uint32_t ctrl_table[128], ctrl_status;
static int ctrl_lie; /* added to the id of an answer; 100: to rsp_prod */

/* In the guest's thread, whenever it sends on the port. */
static void answer_ctrl(void *arg)
{
    struct xen_netif_ctrl_sring *ring = arg;
    struct xen_netif_ctrl_request *request = &asked[nr_asked];
    struct xen_netif_ctrl_response rsp;

    *request = ring->ring[nr_asked % 128].req;
    rsp = (struct xen_netif_ctrl_response){ .id = (uint16_t)(request->id + ctrl_lie % 100),
                                            .type = request->type,
                                            .status = ctrl_status };
    if (request->type == XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING)
        memcpy(ctrl_table, netback_page(request->data[0], true), sizeof(ctrl_table));
    if (request->type == XEN_NETIF_CTRL_TYPE_SET_HASH_KEY)
        CHECK(netback_page(request->data[0], true) != NULL);
    ring->ring[nr_asked++ % 128].rsp = rsp;
    ring->req_event = nr_asked + 1;
    store_release(&ring->rsp_prod, nr_asked + (unsigned int)ctrl_lie / 100);
}

/* As follow(), and the control ring is answered from the moment the frontend is connected. */
static bool follow_with_ctrl(const struct xsd_sockmsg *request, const char *payload)
{
    static const char path[] = "device/vif/0/state";

    if (request->type == XS_WRITE && strcmp(payload, path) == 0 && payload[sizeof(path)] == '4') {
        void *ring = fake_grant_remote_map(NETBACK_DOMID, number_of("ctrl-ring-ref"), false);

        CHECK(ring != NULL);
        fake_port_on_sent(number_of("event-channel-ctrl"), answer_ctrl, ring);
    }
    return follow(request, payload);
}

static void connect_with_ctrl(void)
{
    start();
    fake_xenstored.hook = follow_with_ctrl;
    vcpu_set_add(&vcpus_online, 1);
    set_back("feature-ctrl-ring", "1");
    connect();
}

TEST(ctrl_spreads_packets)
{
    static const uint16_t types[] = {
        XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM,    XEN_NETIF_CTRL_TYPE_SET_HASH_KEY,
        XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING,
        XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS,
    };

    connect_with_ctrl();
    CHECK_EQ(nr_asked, ARRAY_SIZE(types));
    for (unsigned int i = 0; i < ARRAY_SIZE(types); i++)
        CHECK_EQ(asked[i].type, types[i]);
    CHECK_EQ(asked[0].data[0], XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
    CHECK_EQ(asked[1].data[1], 40);
    CHECK_EQ(asked[2].data[0], 128);
    CHECK_EQ(asked[3].data[1], 128);
    CHECK_EQ(asked[4].data[0], 15);
    for (unsigned int i = 0; i < 128; i++)
        CHECK_EQ(ctrl_table[i], i % 2);
    CHECK_EQ(fake_logged("warning") + fake_logged("error"), 0);
}

TEST(ctrl_refused)
{
    ctrl_status = XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
    connect_with_ctrl();
    CHECK_EQ(nr_asked, 1);
    CHECK_EQ(fake_logged("the backend spreads packets as it likes: EOPNOTSUPP"), 1);
}

TEST(ctrl_answers_another_request)
{
    ctrl_lie = 1;
    connect_with_ctrl();
    CHECK_EQ(nr_asked, 1);
    CHECK_EQ(fake_logged("ctrl id is 1"), 1);
}

TEST(ctrl_answers_what_was_not_asked)
{
    ctrl_lie = 300;
    connect_with_ctrl();
    CHECK_EQ(fake_logged("ctrl rsp_prod is 4"), 1);
}

TEST(ctrl_silent)
{
    start();
    vcpu_set_add(&vcpus_online, 1);
    set_back("feature-ctrl-ring", "1");
    make_backend();
    make_frontend();
    CHECK_SOON(number_of("state") == 4);
    fake_pause_ms(50);
    CHECK_EQ(count_of(&ups), 0);
    fake_time_skip(NS_PER_S);
    CHECK_SOON(count_of(&ups) == 1);
    CHECK_EQ(fake_logged("the backend spreads packets as it likes: ETIMEDOUT"), 1);
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
