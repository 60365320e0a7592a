/* SPDX-License-Identifier: MIT
 *
 * The devices of tests/net/world.h.
 */
#include "tests/net/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/cmdline.h"
#include "lib/percpu.h"
#include "mm/page.h"

struct sent {
    struct sent *next;
    size_t len;
    uint8_t bytes[];
};

static struct {
    struct netdev dev;
    bool attached;
    struct sent *first, **end;
} devices[WORLD_DEVICES];
static const struct netdev_listener *stack;

unsigned int world_filters[WORLD_DEVICES];
uint8_t world_filter[6];
bool world_full, world_at_end;

extern const struct cmdline_option net_options[];

static unsigned int number_of(const struct netdev *dev)
{
    return (unsigned int)(unsigned long)dev->driver;
}

static int device_send(struct netdev *dev, unsigned int queue, const struct netdev_packet *packet)
{
    unsigned int n = number_of(dev);
    struct sent *sent;

    (void)queue;
    if (world_full)
        return -XEN_EAGAIN;
    sent = malloc(sizeof(*sent) + packet->len);
    sent->next = NULL;
    sent->len = 0;
    for (unsigned int i = 0; i < packet->nfrags; i++) {
        const struct netdev_frag *frag = &packet->frag[i];

        memcpy(sent->bytes + sent->len, (char *)netbuf_page(frag->buf) + frag->offset, frag->len);
        sent->len += frag->len;
        netbuf_put(frag->buf);
    }
    *devices[n].end = sent;
    devices[n].end = &sent->next;
    return 0;
}

static void device_flush(struct netdev *dev, unsigned int queue)
{
    (void)dev, (void)queue;
}

static int device_multicast(struct netdev *dev, const uint8_t mac[6], bool join)
{
    (void)join;
    if (world_full)
        return -XEN_EAGAIN;
    world_filters[number_of(dev)]++;
    memcpy(world_filter, mac, 6);
    return 0;
}

static const struct netdev_ops ops = { device_send, device_flush, device_multicast };

/* net/netdev.c's part: who listens hears of each device. */
void netdev_listen(const struct netdev_listener *listener)
{
    stack = listener;
}

int world_option(const char *name, const char *value)
{
    const struct cmdline_option *option = net_options;

    while (strcmp(option->name, name) != 0)
        option++;
    return option->set(value);
}

struct netdev *world_attach(unsigned int n, const char *ip)
{
    struct netdev *dev = &devices[n].dev;

    if (!fake_current)
        fake_current = (struct thread *)&devices;
    if (ip)
        (void)world_option("ip", ip);
    *dev = (struct netdev){ .ops = &ops,
                            .driver = (void *)(unsigned long)n,
                            .mac = { 0, 0x16, 0x3e, 0, 0, (uint8_t)n },
                            .features = { .sg = true,
                                          .csum_ipv4 = true,
                                          .csum_ipv6 = true,
                                          .gso_tcpv4 = true,
                                          .gso_tcpv6 = true,
                                          .multicast_control = true,
                                          .mtu = 1500,
                                          .queues = 1 } };
    snprintf(dev->name, sizeof(dev->name), "vif%u", n);
    devices[n].end = &devices[n].first;
    devices[n].attached = true;
    stack->added(dev);
    dev->link(dev, true);
    return dev;
}

void world_detach(unsigned int n)
{
    struct netdev *dev = &devices[n].dev;

    dev->link(dev, false);
    stack->removed(dev);
    devices[n].attached = false;
}

void world_receive_more(unsigned int n, const void *frame, size_t len, bool csum_valid)
{
    struct netdev_packet packet = { .len = (uint32_t)len, .csum_valid = csum_valid };
    const char *from = frame;

    while (len) {
        struct netdev_frag *frag = &packet.frag[packet.nfrags++];

        frag->buf = netbuf_alloc();
        frag->len = (uint16_t)(len < PAGE_SIZE ? len : PAGE_SIZE);
        frag->offset = world_at_end ? (uint16_t)(PAGE_SIZE - frag->len) : 0;
        if (!frag->buf) {
            for (packet.nfrags--; packet.nfrags; packet.nfrags--)
                netbuf_put(packet.frag[packet.nfrags - 1].buf);
            return;
        }
        memcpy((char *)netbuf_page(frag->buf) + frag->offset, from, frag->len);
        from += frag->len;
        len -= frag->len;
    }
    devices[n].dev.receive(&devices[n].dev, 0, &packet);
}

void world_receive_end(unsigned int n)
{
    devices[n].dev.batch_end(&devices[n].dev, 0);
}

void world_receive(unsigned int n, const void *frame, size_t len, bool csum_valid)
{
    world_receive_more(n, frame, len, csum_valid);
    world_receive_end(n);
}

void world_room(unsigned int n)
{
    world_full = false;
    devices[n].dev.tx_room(&devices[n].dev, 0);
}

size_t world_sent(unsigned int n, void *frame)
{
    struct sent *sent = devices[n].first;
    size_t len;

    if (!sent)
        return 0;
    devices[n].first = sent->next;
    if (!sent->next)
        devices[n].end = &devices[n].first;
    len = sent->len;
    memcpy(frame, sent->bytes, len);
    free(sent);
    return len;
}

void world_drop_sent(void)
{
    static uint8_t frame[WORLD_FRAME];

    for (unsigned int n = 0; n < WORLD_DEVICES; n++)
        while (devices[n].end && world_sent(n, frame))
            ;
}
