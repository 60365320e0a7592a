/* SPDX-License-Identifier: MIT
 *
 * SOL_SOCKET: what all sockets have.  held: net lock
 */
#include <net/if.h>
#include <sys/time.h>
#include "kernel/time.h"
#include "lwip/netif.h"
#include "lwip/tcp.h"
#include "net/netif.h"
#include "net/option.h"

static int give_timeout(void *value, socklen_t *len, uint64_t ns)
{
    struct timeval time = { (time_t)(ns / NS_PER_S), (suseconds_t)(ns % NS_PER_S / NS_PER_US) };

    return option_give(value, len, &time, sizeof(time));
}

static int take_timeout(uint64_t *ns, const void *value, socklen_t len)
{
    const struct timeval *time = value;

    if (len < sizeof(*time) || time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= 1000000)
        return -EINVAL;
    *ns = (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_usec * NS_PER_US;
    return 0;
}

/* lwIP's flag for an option; 0: it is none. */
static uint8_t flag_of(int name)
{
    switch (name) {
    case SO_REUSEADDR:
    case SO_REUSEPORT:
        return SOF_REUSEADDR;
    case SO_KEEPALIVE:
        return SOF_KEEPALIVE;
    case SO_BROADCAST:
        return SOF_BROADCAST;
    default:
        return 0;
    }
}

int option_get_socket(struct socket *s, int name, void *value, socklen_t *len)
{
    if (flag_of(name))
        return option_give_int(value, len,
                               s->pcb && option_ip_pcb(s)->so_options & flag_of(name) ? 1 : 0);
    switch (name) {
    case SO_TYPE:
        return option_give_int(value, len, s->type);
    case SO_DOMAIN:
        return option_give_int(value, len, s->family);
    case SO_PROTOCOL:
        return option_give_int(value, len, s->protocol);
    case SO_ERROR:
        return option_give_int(value, len, -socket_take_error(s));
    case SO_ACCEPTCONN:
        return option_give_int(value, len, option_of_listener(s));
    case SO_SNDBUF:
        return option_give_int(value, len, option_of_stream(s) ? TCP_SND_BUF : 65507);
    case SO_RCVBUF:
        return option_give_int(value, len, option_of_stream(s) ? TCP_WND : (int)s->receive_limit);
    case SO_LINGER:
        return option_give(value, len, &s->linger, sizeof(s->linger));
    case SO_RCVTIMEO:
        return give_timeout(value, len, s->receive_timeout_ns);
    case SO_SNDTIMEO:
        return give_timeout(value, len, s->send_timeout_ns);
    case SO_RCVLOWAT:
    case SO_SNDLOWAT:
        return option_give_int(value, len, 1);
    case SO_OOBINLINE:
    case SO_DONTROUTE:
    case SO_DEBUG:
        return option_give_int(value, len, 0);
    default:
        return -ENOPROTOOPT;
    }
}

static int bind_to_device(struct socket *s, const char *name, socklen_t len)
{
    char text[IF_NAMESIZE] = "";
    struct netif *netif;

    memcpy(text, name, MIN(len, sizeof(text) - 1));
    netif = text[0] ? net_netif_find(text) : NULL;
    if (text[0] && !netif)
        return -ENODEV;
    if (!s->pcb)
        return -EINVAL;
    option_ip_pcb(s)->netif_idx = netif ? netif_get_index(netif) : NETIF_NO_INDEX;
    return 0;
}

int option_set_socket(struct socket *s, int name, const void *value, socklen_t len)
{
    const int *number = value;

    switch (name) {
    case SO_RCVTIMEO:
        return take_timeout(&s->receive_timeout_ns, value, len);
    case SO_SNDTIMEO:
        return take_timeout(&s->send_timeout_ns, value, len);
    case SO_LINGER:
        if (len < sizeof(s->linger))
            return -EINVAL;
        s->linger = *(const struct linger *)value;
        return 0;
    case SO_BINDTODEVICE:
        return bind_to_device(s, value, len);
    default:
        break;
    }
    if (len < sizeof(*number))
        return -EINVAL;
    if (flag_of(name)) {
        if (s->pcb && *number)
            option_ip_pcb(s)->so_options |= flag_of(name);
        else if (s->pcb)
            option_ip_pcb(s)->so_options &= (u8_t)~flag_of(name);
        return 0;
    }
    switch (name) {
    case SO_RCVBUF: /* of a stream: the window is lwIP's, for all alike */
        if (*number <= 0)
            return -EINVAL;
        s->receive_limit = MIN(MAX((unsigned int)*number, 2048), 16u << 20);
        return 0;
    case SO_SNDBUF:
    case SO_RCVLOWAT:
    case SO_SNDLOWAT:
    case SO_OOBINLINE:
    case SO_DONTROUTE:
    case SO_DEBUG:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}
