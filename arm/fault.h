/* SPDX-License-Identifier: MIT
 *
 * What a fault of the translation tables was, in words.
 */
#pragma once
#include "lib/types.h"

enum fault_access { FAULT_READ, FAULT_WRITE, FAULT_EXECUTE };

/* `status`: the fault status code that ESR, or DFSR and IFSR with their long format, have below. */
void fault_describe(char *out, size_t size, unsigned long address, enum fault_access access,
                    unsigned int status);
