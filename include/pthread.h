/* SPDX-License-Identifier: MIT
 *
 * <pthread.h>: newlib's, and what programs for Linux use beyond it.
 */
#include_next <pthread.h>

#ifndef XENOLITH_PTHREAD_H
#define XENOLITH_PTHREAD_H

#ifdef __cplusplus
extern "C" {
#endif

#if __GNU_VISIBLE
int pthread_attr_setaffinity_np(pthread_attr_t *, __SIZE_TYPE__, const cpu_set_t *);
int pthread_attr_getaffinity_np(const pthread_attr_t *, __SIZE_TYPE__, cpu_set_t *);
int pthread_setaffinity_np(pthread_t, __SIZE_TYPE__, const cpu_set_t *);
int pthread_getaffinity_np(pthread_t, __SIZE_TYPE__, cpu_set_t *);
int pthread_getattr_np(pthread_t, pthread_attr_t *);
int pthread_tryjoin_np(pthread_t, void **);
int pthread_timedjoin_np(pthread_t, void **, const struct timespec *);
#endif

#ifdef __cplusplus
}
#endif

#endif
