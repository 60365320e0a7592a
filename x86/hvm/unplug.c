/* SPDX-License-Identifier: MIT
 *
 * Telling an HVM domain's device model that nobody will drive its network cards, as the
 * paravirtual ones, which have their addresses, are used.  Follows Xen
 * docs/misc/hvm-emulated-unplug.pandoc and public/hvm/pvdrivers.h.
 */
#include "arch/port.h"
#include "lib/types.h"
#include "x86/hvm/hvm.h"
#include <xen/xen.h>

#define MAGIC_PORT    0x10
#define VERSION_PORT  0x12
#define MAGIC         0x49d2
#define ALL_NICS      (1 << 1)
#define PRODUCT_OTHER 0xffff /* PVDRIVERS_EXPERIMENTAL_PRODUCT */
#define BUILD         1

int hvm_unplug_nics(void)
{
    if (inw(MAGIC_PORT) != MAGIC)
        return -XEN_ENODEV;
    if (inb(VERSION_PORT) != 0) {
        outw(VERSION_PORT, PRODUCT_OTHER);
        outl(MAGIC_PORT, BUILD);
        if (inw(MAGIC_PORT) != MAGIC)
            return -XEN_EPERM;
    }
    outw(MAGIC_PORT, ALL_NICS);
    return 0;
}
