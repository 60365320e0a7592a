/* SPDX-License-Identifier: MIT
 *
 * Where no domain has emulated network cards: what boot/network.c asks about them.
 */
#include "rtl8139/rtl8139.h"
#include "x86/hvm/hvm.h"

int hvm_unplug_nics(void)
{
    return 0;
}

unsigned int rtl8139_start(void)
{
    return 0;
}

bool rtl8139_has(const uint8_t mac[6])
{
    (void)mac;
    return false;
}
