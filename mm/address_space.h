/* SPDX-License-Identifier: MIT
 *
 * Virtual addresses outside the direct map: a region for frames that are not ours (shared info,
 * grant table, other domains' pages) and the region that malloc grows in.
 */
#pragma once
#include "arch/page.h"
#include "lib/types.h"

enum map_prot { MAP_READ, MAP_WRITE }; /* nothing mapped at run time is ever executable */

/* Reserve `count` pages of virtual addresses, unmapped, with an unmapped page behind them; NULL
 * when the region is full. Thread context. */
void *vspace_alloc(size_t count);
/* The pages must be unmapped. Thread context. */
void vspace_free(void *start, size_t count);

/* Map `count` frames that Xen handed out at `start` (page aligned, from vspace_alloc()). 0, or
 * -errno of Xen or -XEN_ENOMEM for page tables. */
int map_frames(void *start, const mfn_t *frames, size_t count, enum map_prot prot);
/* Take whatever is mapped there away. Not for granted pages (grant_unmap does that). */
void unmap_frames(void *start, size_t count);
/* Make one page of the direct map inaccessible (a guard), or accessible again. 0 or -errno. */
int page_set_guard(void *page, bool guard);

/* malloc's region: move its end by `increment` bytes (may be negative; pages stay) and return the
 * old end. New memory reads as zeroes. NULL when memory is out: the end has not moved then. Thread
 * context; the caller serialises. */
void *heap_grow(ptrdiff_t increment);
/* Bytes between the region's start and its end. */
size_t heap_size(void);
