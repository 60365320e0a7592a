/* SPDX-License-Identifier: MIT
 *
 * A connected backend may say that there is no link behind it (`carrier` in its directory; without
 * that key there is one).  Looked at after the connection is made, so that nothing waits for it.
 * Follows Xen public/io/netif.h, link state.
 */
#include "lib/log.h"
#include "netfront/internal.h"

/* Watch thread. */
static void carrier_event(struct xenstore_watch *watch, const char *path)
{
    struct netfront *nf = watch->arg;

    (void)path;
    store_release(&nf->carrier_changed, true); /* pairs with carrier_look() */
    signal_raise(&nf->look);
}

void carrier_watch(struct netfront *nf)
{
    int rc;

    if (nf->carrier_watch.fn)
        return;
    format_text(nf->carrier_path, sizeof(nf->carrier_path), "%.100s/carrier",
                nf->xenbus.backend_path);
    nf->carrier_watch =
        (struct xenstore_watch){ .path = nf->carrier_path, .fn = carrier_event, .arg = nf };
    rc = xenstore_watch(&nf->carrier_watch);
    if (rc == 0)
        return;
    log_warn("%s: %s is not watched: %s", nf->dev.name, nf->carrier_path, error_name(rc));
    nf->carrier_watch.fn = NULL;
}

bool carrier_look(struct netfront *nf)
{
    bool before = nf->carrier;

    if (!load_acquire(&nf->carrier_changed))
        return false;
    store_once(&nf->carrier_changed,
               false); /* first: what changes from here on is looked at again */
    store_once(&nf->carrier, xenbus_backend_number(&nf->xenbus, "carrier", 1, 1));
    return nf->carrier != before;
}

void carrier_forget(struct netfront *nf)
{
    if (nf->carrier_watch.fn)
        xenstore_unwatch(&nf->carrier_watch);
    nf->carrier_watch.fn = NULL;
    nf->carrier_changed = false;
    nf->carrier = true;
}
