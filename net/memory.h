/* SPDX-License-Identifier: MIT
 *
 * How much lwIP uses of what, and how much it may; `type` is lwIP's memp_t. held: net lock, or
 * before the start
 */
#pragma once

unsigned int net_memory_used(int type);
void net_memory_limit(int type, unsigned int limit);
