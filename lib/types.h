/* SPDX-License-Identifier: MIT
 *
 * Small things every C file here may use.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/errno.h>

#define ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define ROUND_UP(x, unit)               (((x) + (unit)-1) / (unit) * (unit))
#define MIN(a, b)                       ((a) < (b) ? (a) : (b))
#define MAX(a, b)                       ((a) > (b) ? (a) : (b))

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

/* A deadline that never comes. */
#define TIME_NEVER UINT64_MAX

/* Errors that Xen's errno.h lacks in some releases. Numbers are Linux's on every CPU Xen runs on.
 */
#define XEN_EINTR      4
#define XEN_EPROTO     71
#define XEN_ECONNRESET 104
