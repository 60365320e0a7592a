/* SPDX-License-Identifier: MIT
 *
 * How much lwIP uses of what; `type` is lwIP's memp_t. held: net lock
 */
#pragma once

unsigned int net_memory_used(int type);
