/* SPDX-License-Identifier: MIT
 *
 * The kernel's heap: small objects from size classes, large ones straight from the page allocator.
 * Apart from newlib's malloc, so that a program that ruins its heap does not ruin the kernel's.
 */
#pragma once
#include "lib/types.h"

/* `size` bytes, 16-byte aligned, zeroed; NULL when memory is out. Any context but a panic's. */
void *kmem_alloc(size_t size);
/* NULL is allowed. Any context but a panic's. */
void kmem_free(void *ptr);
