/* SPDX-License-Identifier: MIT
 *
 * IPPROTO_TCP.  held: net lock
 */
#include <netinet/tcp.h>
#include "lwip/tcp.h"
#include "net/option.h"

int option_get_tcp(struct socket *s, int name, void *value, socklen_t *len)
{
    const struct tcp_pcb *pcb = s->tcp;

    if (!option_of_stream(s))
        return -ENOPROTOOPT;
    if (!pcb || option_of_listener(s))
        return name == TCP_NODELAY ? option_give_int(value, len, s->nodelay) : -EINVAL;
    switch (name) {
    case TCP_NODELAY:
        return option_give_int(value, len, tcp_nagle_disabled(pcb) ? 1 : 0);
    case TCP_MAXSEG:
        return option_give_int(value, len, pcb->mss);
    case TCP_KEEPIDLE:
        return option_give_int(value, len, (int)(pcb->keep_idle / 1000));
    case TCP_KEEPINTVL:
        return option_give_int(value, len, (int)(pcb->keep_intvl / 1000));
    case TCP_KEEPCNT:
        return option_give_int(value, len, (int)pcb->keep_cnt);
    case TCP_CORK:
    case TCP_QUICKACK:
        return option_give_int(value, len, 0);
    default:
        return -ENOPROTOOPT;
    }
}

int option_set_tcp(struct socket *s, int name, const void *value, socklen_t len)
{
    struct tcp_pcb *pcb = s->tcp;
    int number;

    if (!option_of_stream(s))
        return -ENOPROTOOPT;
    if (len < sizeof(number))
        return -EINVAL;
    number = *(const int *)value;
    if (name == TCP_NODELAY)
        s->nodelay = number != 0;
    if (!pcb || option_of_listener(s))
        return name == TCP_NODELAY ? 0 : -EINVAL;
    switch (name) {
    case TCP_NODELAY:
        if (number) {
            tcp_nagle_disable(pcb);
            if (s->state == SOCKET_CONNECTED)
                tcp_output(pcb);
        } else {
            tcp_nagle_enable(pcb);
        }
        return 0;
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
        if (number < 1 || number > 32767)
            return -EINVAL;
        *(name == TCP_KEEPIDLE ? &pcb->keep_idle : &pcb->keep_intvl) = (u32_t)number * 1000;
        return 0;
    case TCP_KEEPCNT:
        if (number < 1 || number > 127)
            return -EINVAL;
        pcb->keep_cnt = (u32_t)number;
        return 0;
    case TCP_MAXSEG:
    case TCP_CORK:
    case TCP_QUICKACK:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}
