/* SPDX-License-Identifier: MIT
 *
 * What the toolstack asks of a running domain through xenstore: poweroff, reboot, halt in control/,
 * vCPUs to come and go in cpu/.  Follows Xen docs/misc/xenstore-paths.pandoc.
 */
#pragma once
#include "lib/types.h"

enum control_request { CONTROL_NONE, CONTROL_POWEROFF, CONTROL_REBOOT, CONTROL_HALT };

/* Watch control/shutdown and publish control/feature-*, in the background: what fails there is
 * logged. `deliver` is called in a thread of its own for each acknowledged request. 0 or
 * -XEN_ENOMEM. Thread context. */
int control_init(void (*deliver)(enum control_request request));

/* End the domain: drains the console, then SCHEDOP_shutdown. `reason`: SHUTDOWN_poweroff, ...
 * Thread context. */
_Noreturn void control_shutdown(unsigned int reason);

/* Boot, with xenstore: start the vCPUs that xenstore does not list as offline, and wait for them, a
 * second at most. Thread context. */
void control_start_vcpus(void);
/* Have vCPUs come and go as xenstore says, from now on. What fails is logged. Thread context. */
void control_watch_vcpus(void);
