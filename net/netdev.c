/* SPDX-License-Identifier: MIT
 *
 * Network devices meet whoever takes them, in whatever order the two come.
 */
#include "net/netdev.h"
#include "kernel/mutex.h"

/* Also held while the listener is called. */
static struct mutex mutex = MUTEX_INIT(mutex);
/* held: mutex */
static struct list devices = LIST_INIT(devices);
static const struct netdev_listener *taker;

void netdev_add(struct netdev *dev)
{
    mutex_lock(&mutex);
    dev->up = false;
    list_add_last(&devices, &dev->entry);
    if (taker)
        taker->added(dev);
    mutex_unlock(&mutex);
}

void netdev_set_link(struct netdev *dev, bool up)
{
    mutex_lock(&mutex);
    dev->up = up;
    if (dev->link)
        dev->link(dev, up);
    mutex_unlock(&mutex);
}

void netdev_remove(struct netdev *dev)
{
    mutex_lock(&mutex);
    list_remove(&dev->entry);
    if (taker)
        taker->removed(dev);
    mutex_unlock(&mutex);
}

void netdev_listen(const struct netdev_listener *listener)
{
    struct list *it;

    mutex_lock(&mutex);
    taker = listener;
    list_for_each (it, &devices) {
        struct netdev *dev = list_entry(it, struct netdev, entry);

        taker->added(dev);
        if (dev->up && dev->link)
            dev->link(dev, true);
    }
    mutex_unlock(&mutex);
}

/* Who listens wants drivers: this brings them into the image, and boot/start.c finds them there. */
__attribute__((used)) static void (*const drivers)(void) = network_start;
