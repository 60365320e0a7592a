/* SPDX-License-Identifier: MIT
 *
 * Between the files of libc/ only.
 */
#pragma once
#include "control/control.h"

/* What the toolstack last asked for; CONTROL_NONE. Any context. */
enum control_request libc_requested(void);
