/* SPDX-License-Identifier: MIT
 *
 * Memory for lwIP, in place of its own: objects of each kind from free lists that grow by the page
 * up to the limits of lwipopts.h, and blocks of any size, of which small ones are kept.  Nothing
 * here goes back to the page allocator but large blocks: a domain that had 1,000 connections once
 * can have them again.  held: net lock, everywhere.
 */
#include <string.h>
#include "lwip/opt.h"
#include "lwip/memp.h"
#include "lwip/altcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mld6.h"
#include "lwip/pbuf.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/raw.h"
#include "lwip/udp.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "mm/page.h"
#include "net/budget.h"
#include "net/memory.h"
#include "net/netdev.h"

struct free_object {
    struct free_object *next;
};

struct kind {
    uint32_t size, limit;
};

static struct kind kinds[MEMP_MAX] = {
#define LWIP_MEMPOOL(name, num, size, desc) [MEMP_##name] = { ROUND_UP(size, 16), num },
#include "lwip/priv/memp_std.h"
};

static struct {
    struct free_object *free;
    uint32_t used;
} pools[MEMP_MAX];

void memp_init(void)
{
}

void net_memory_limit(int type, unsigned int limit)
{
    kinds[type].limit = limit;
}

/* Cut a page into objects. False: no memory. */
static bool refill(memp_t type)
{
    size_t size = kinds[type].size;
    unsigned int order = size > PAGE_SIZE ? 1 : 0;
    char *page = pages_alloc(order);

    if (!page)
        return false;
    for (size_t at = 0; at + size <= PAGE_SIZE << order; at += size) {
        struct free_object *object = (struct free_object *)(void *)(page + at);

        object->next = pools[type].free;
        pools[type].free = object;
    }
    return true;
}

void *memp_malloc(memp_t type)
{
    struct free_object *object;

    if (pools[type].used >= kinds[type].limit || (!pools[type].free && !refill(type)))
        return NULL;
    object = pools[type].free;
    pools[type].free = object->next;
    pools[type].used++;
    return object;
}

void memp_free(memp_t type, void *block)
{
    struct free_object *object = block;

    if (!object)
        return;
    if (type == MEMP_PBUF && ((struct pbuf *)block)->netbuf) {
        if (((struct pbuf *)block)->type_internal == PBUF_REF) /* it was received */
            net_held_pages--;
        else
            net_sent_pages--;
        netbuf_put(((struct pbuf *)block)->netbuf);
    }
    object->next = pools[type].free;
    pools[type].free = object;
    pools[type].used--;
}

struct pbuf *net_pbuf_received(struct netbuf *buf, void *data, uint16_t len)
{
    struct pbuf *p = memp_malloc(MEMP_PBUF);

    if (!p)
        return NULL;
    *p = (struct pbuf){
        .payload = data,
        .tot_len = len,
        .len = len,
        .type_internal = PBUF_REF,
        .ref = 1,
        .if_idx = NETIF_NO_INDEX,
        .netbuf = buf,
    };
    net_held_pages++;
    return p;
}

void net_pbufs_free(struct pbuf *p)
{
    struct netbuf *unused = NULL;

    for (struct pbuf *next; p; p = next) {
        struct netbuf *buf = p->netbuf;

        next = p->next;
        if (p->ref == 1 && p->type_internal == PBUF_REF && buf) {
            net_held_pages--;
            if (netbuf_leave(buf)) {
                buf->next = unused;
                unused = buf;
            }
            p->netbuf = NULL;
            memp_free(MEMP_PBUF, p);
        } else {
            p->next = NULL;
            pbuf_free(p);
        }
    }
    if (unused)
        netbuf_free_list(unused);
}

unsigned int net_memory_used(int type)
{
    return pools[type].used;
}

/* --- blocks of any size: a header's worth, a frame's worth, or the kernel heap's --- */

struct block {
    struct block *next; /* while it is free */
    size_t class;
};

#define CLASSES 2
static const struct {
    size_t size;       /* with struct block */
    unsigned int kept; /* at most so many free ones */
} classes[CLASSES] = { { 256, 1024 }, { 2048, 64 } };
static struct {
    struct block *free;
    unsigned int count;
} kept[CLASSES];

void *net_memory_alloc(size_t size)
{
    size_t class = 0;
    struct block *block;

    size += sizeof(*block);
    while (class < CLASSES && classes[class].size < size)
        class ++;
    if (class < CLASSES && kept[class].free) {
        block = kept[class].free;
        kept[class].free = block->next;
        kept[class].count--;
    } else {
        block = kmem_alloc(class < CLASSES ? classes[class].size : size);
        if (!block)
            return NULL;
        block->class = class;
    }
    return block + 1;
}

void *net_memory_calloc(size_t count, size_t size)
{
    void *memory = net_memory_alloc(count * size); /* lwIP's own small numbers */

    return memory ? memset(memory, 0, count * size) : NULL;
}

void net_memory_free(void *memory)
{
    struct block *block = (struct block *)memory - 1;
    size_t class;

    if (!memory)
        return;
    class = block->class;
    if (class < CLASSES && kept[class].count < classes[class].kept) {
        block->next = kept[class].free;
        kept[class].free = block;
        kept[class].count++;
    } else {
        kmem_free(block);
    }
}
