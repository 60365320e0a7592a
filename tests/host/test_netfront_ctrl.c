/* SPDX-License-Identifier: MIT
 *
 * The control ring: which queue the backend puts a packet into.
 */
#include "kernel/time.h"
#include "tests/host/netfront_interface.h"

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
