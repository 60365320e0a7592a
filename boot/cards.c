/* SPDX-License-Identifier: MIT
 *
 * An HVM domain's network cards: driven, or left to the vifs that stand for the same interfaces.
 */
#include "arch/cards.h"
#include <string.h>
#include "arch/cpu.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "netfront/netfront.h"
#include "rtl8139/rtl8139.h"
#include "x86/hvm/hvm.h"
#include "xenbus/xenstore.h"

static bool has_vif(void)
{
    char *names;
    unsigned int count;

    if (xenstore_directory(XBT_NIL, "device/vif", &names, &count))
        return false;
    kmem_free(names);
    return count > 0;
}

/* An HVM domain has a card for each of its interfaces, with the same address: either is to be used.
 * The cards are, if so asked, or if there is nothing else, or if they cannot be taken away. */
void cards_choose(bool wants_emulated)
{
    int rc;

    if (strcmp(arch_guest_type, "hvm") != 0)
        return;
    if (!wants_emulated && has_vif()) {
        rc = hvm_unplug_nics();
        if (rc == 0)
            return;
        log_info("network: the emulated cards stay: %s", error_name(rc));
    }
    if (rtl8139_start())
        netfront_leave_to(rtl8139_has);
    else if (wants_emulated)
        log_warn("network: there is no card for -net=rtl8139");
}
