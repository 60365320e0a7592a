/* SPDX-License-Identifier: MIT
 *
 * Of newlib's <reent.h> what libc/malloc.c uses: the allocator under it, played by a test.
 */
#pragma once
#include <stddef.h>

struct _reent;
#define _REENT ((struct _reent *)NULL)

void *_malloc_r(struct _reent *reent, size_t size);
void *_calloc_r(struct _reent *reent, size_t count, size_t size);
void *_realloc_r(struct _reent *reent, void *ptr, size_t size);
void _free_r(struct _reent *reent, void *ptr);
void __malloc_lock(struct _reent *reent);
void __malloc_unlock(struct _reent *reent);
