/* SPDX-License-Identifier: MIT
 *
 * Between option.c and the levels' files: values as programs give and want them.  Errors as of
 * socket_get_option().  held: net lock
 */
#pragma once
#include <errno.h>
#include <string.h>
#include "net/socket.h"

static inline bool option_of_stream(const struct socket *s)
{
    return s->type == SOCK_STREAM;
}

static inline bool option_of_listener(const struct socket *s)
{
    return s->state == SOCKET_LISTENING;
}

static inline struct ip_pcb *option_ip_pcb(struct socket *s)
{
    return s->pcb;
}

static inline int option_give(void *value, socklen_t *len, const void *from, socklen_t size)
{
    memcpy(value, from, MIN(*len, size));
    *len = MIN(*len, size);
    return 0;
}

static inline int option_give_int(void *value, socklen_t *len, int number)
{
    return option_give(value, len, &number, sizeof(number));
}

/* option_socket.c */
int option_get_socket(struct socket *s, int name, void *value, socklen_t *len);
int option_set_socket(struct socket *s, int name, const void *value, socklen_t len);
/* option_tcp.c */
int option_get_tcp(struct socket *s, int name, void *value, socklen_t *len);
int option_set_tcp(struct socket *s, int name, const void *value, socklen_t len);
/* option_ip.c: of IPPROTO_IP and IPPROTO_IPV6 */
int option_get_ip(struct socket *s, int level, int name, void *value, socklen_t *len);
int option_set_ip(struct socket *s, int level, int name, const void *value, socklen_t len);
