/* SPDX-License-Identifier: MIT
 *
 * What the files of control/ share.
 */
#pragma once
#include <stdint.h>

struct xenstore_watch;

/* How long until a request that xenstored did not answer is made again. */
#define CONTROL_AGAIN_NS NS_PER_S

/* xenstore_watch(), again and again while xenstored does not answer; a warning says so, once. 0, or
 * -errno: it refused. The caller's own thread, which has nothing else to do. */
int control_watch(struct xenstore_watch *watch);
