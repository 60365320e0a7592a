/* SPDX-License-Identifier: MIT
 *
 * No drivers: a test that wants one starts it itself.
 */
#include "net/netdev.h"
#include "tests/host/fake_xen.h"

FAKE void network_start(void)
{
}
