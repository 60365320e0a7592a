/* SPDX-License-Identifier: MIT
 *
 * <netdb.h>.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libc/blocking.h"
#include "net/resolve.h"
#include "net/socket.h"

static const struct service {
    const char *name;
    uint16_t port;
} services[] = {
    { "echo", 7 },    { "discard", 9 }, { "daytime", 13 }, { "ftp", 21 },     { "ssh", 22 },
    { "telnet", 23 }, { "smtp", 25 },   { "time", 37 },    { "domain", 53 },  { "bootps", 67 },
    { "tftp", 69 },   { "http", 80 },   { "pop3", 110 },   { "ntp", 123 },    { "imap", 143 },
    { "snmp", 161 },  { "ldap", 389 },  { "https", 443 },  { "syslog", 514 }, { "mdns", 5353 },
};

/* The port of a service, or a negative EAI_*. */
static int port_of(const char *service, int flags)
{
    char *end;
    unsigned long number;

    if (!service || !*service)
        return 0;
    number = strtoul(service, &end, 10);
    if (!*end)
        return number < 65536 ? (int)number : EAI_SERVICE;
    if (flags & AI_NUMERICSERV)
        return EAI_NONAME;
    for (unsigned int i = 0; i < ARRAY_SIZE(services); i++)
        if (strcmp(services[i].name, service) == 0)
            return services[i].port;
    return EAI_SERVICE;
}

/* An answer with all it points to in one piece of memory. */
struct answer {
    struct addrinfo info;
    struct sockaddr_storage address;
    char name[];
};

static int append(struct addrinfo ***end, const ip_addr_t *ip, int port, int type, int protocol,
                  bool mapped, const char *name)
{
    size_t name_len = name ? strlen(name) + 1 : 0;
    struct answer *a = calloc(1, sizeof(*a) + name_len);
    struct socket_name from = { .ip = *ip, .port = (uint16_t)port };

    if (!a)
        return EAI_MEMORY;
    a->info = (struct addrinfo){ .ai_family = mapped || IP_IS_V6(ip) ? AF_INET6 : AF_INET,
                                 .ai_socktype = type,
                                 .ai_protocol = protocol,
                                 .ai_addr = (struct sockaddr *)&a->address,
                                 .ai_addrlen = sizeof(a->address) };
    socket_name_to(&from, a->info.ai_family, a->info.ai_addr, &a->info.ai_addrlen);
    if (name)
        a->info.ai_canonname = memcpy(a->name, name, name_len);
    **end = &a->info;
    *end = &a->info.ai_next;
    return 0;
}

/* One address for each kind of socket that was asked for. */
static int append_types(struct addrinfo ***end, const ip_addr_t *ip, int port,
                        const struct addrinfo *hints, const char *name)
{
    static const int kinds[][2] = { { SOCK_STREAM, IPPROTO_TCP }, { SOCK_DGRAM, IPPROTO_UDP } };
    bool mapped = hints->ai_family == AF_INET6 && IP_IS_V4(ip);
    bool any = false;
    int rc = 0;

    if (hints->ai_socktype == SOCK_RAW)
        return append(end, ip, port, SOCK_RAW, hints->ai_protocol, mapped, name);
    for (unsigned int i = 0; i < ARRAY_SIZE(kinds) && rc == 0; i++) {
        if ((hints->ai_socktype && hints->ai_socktype != kinds[i][0]) ||
            (hints->ai_protocol && hints->ai_protocol != kinds[i][1]))
            continue;
        any = true;
        rc = append(end, ip, port, kinds[i][0], kinds[i][1], mapped, name);
    }
    return rc ? rc : any ? 0 : EAI_SOCKTYPE;
}

/* The addresses of `host` of one family. 0: *ip is one; EAI_NONAME and so on. */
static int find(const char *host, bool v6, const struct addrinfo *hints, ip_addr_t *ip)
{
    if (!host) {
        if (hints->ai_flags & AI_PASSIVE)
            *ip = v6 ? *IP6_ADDR_ANY : *IP4_ADDR_ANY;
        else
            ip_addr_set_loopback(v6, ip);
        return 0;
    }
    if (resolve_local(host, v6, ip))
        return 0;
    if (hints->ai_flags & AI_NUMERICHOST || strspn(host, "0123456789.") == strlen(host) ||
        strchr(host, ':'))
        return EAI_NONAME;
    return resolve_by_dns(host, v6, ip);
}

static int look_up(const char *host, const char *service, const struct addrinfo *hints,
                   struct addrinfo **out)
{
    static const struct addrinfo none;
    struct addrinfo *list = NULL, **end = &list;
    int port, rc = EAI_NONAME, failed = EAI_NONAME;

    hints = hints ? hints : &none;
    if (!host && !service)
        return EAI_NONAME;
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET &&
        hints->ai_family != AF_INET6)
        return EAI_FAMILY;
    port = port_of(service, hints->ai_flags);
    if (port < 0)
        return port;
    for (int v6 = 0; v6 <= 1; v6++) {
        bool mapped = hints->ai_flags & AI_V4MAPPED && hints->ai_family == AF_INET6;
        ip_addr_t ip;

        if (hints->ai_family == (v6 ? AF_INET : AF_INET6) && !(mapped && !v6))
            continue;
        rc = find(host, v6, hints, &ip);
        if (rc == 0)
            rc = append_types(&end, &ip, port, hints,
                              !list && host && hints->ai_flags & AI_CANONNAME ? host : NULL);
        if (rc && rc != EAI_NONAME)
            failed = rc;
        if (rc == EAI_SYSTEM) { /* interrupted: it holds nothing then, as it may be cancelled */
            freeaddrinfo(list);
            return rc;
        }
        if (rc == EAI_MEMORY)
            break;
    }
    if (!list)
        return failed;
    *out = list;
    return 0;
}

/* A cancellation point, and begun anew after a signal whose handler says SA_RESTART. */
int getaddrinfo(const char *restrict host, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    int rc;

    if (pthread_testcancel)
        pthread_testcancel();
    do {
        rc = look_up(host, service, hints, out);
    } while (rc == EAI_SYSTEM && libc_interrupted_cancel && libc_interrupted_cancel() == 0);
    return rc;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;

        free(container_of(list, struct answer, info));
        list = next;
    }
}

static const char *service_name(uint16_t port)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(services); i++)
        if (services[i].port == port)
            return services[i].name;
    return NULL;
}

int getnameinfo(const struct sockaddr *restrict address, socklen_t len, char *restrict host,
                socklen_t host_len, char *restrict service, socklen_t service_len, int flags)
{
    const struct sockaddr_in *in = (const void *)address;
    const struct sockaddr_in6 *in6 = (const void *)address;
    bool v6 = address->sa_family == AF_INET6;
    uint16_t port;
    const char *name;

    if ((address->sa_family != AF_INET && !v6) || len < (v6 ? sizeof(*in6) : sizeof(*in)))
        return EAI_FAMILY;
    if (flags & NI_NAMEREQD)
        return EAI_NONAME;
    if (host && host_len &&
        !inet_ntop(address->sa_family, v6 ? (const void *)&in6->sin6_addr : &in->sin_addr, host,
                   host_len))
        return EAI_OVERFLOW;
    if (!service || !service_len)
        return 0;
    port = ntohs(v6 ? in6->sin6_port : in->sin_port);
    name = flags & NI_NUMERICSERV ? NULL : service_name(port);
    if ((name ? snprintf(service, service_len, "%s", name)
              : snprintf(service, service_len, "%u", port)) >= (int)service_len)
        return EAI_OVERFLOW;
    return 0;
}

const char *gai_strerror(int error)
{
    static const char *const texts[] = {
        [0] = "no error",
        [-EAI_BADFLAGS] = "bad flags",
        [-EAI_NONAME] = "no such host or service",
        [-EAI_AGAIN] = "no answer for now",
        [-EAI_FAIL] = "the name server failed",
        [-EAI_FAMILY] = "no such address family",
        [-EAI_SOCKTYPE] = "no such socket type",
        [-EAI_SERVICE] = "no such service for this socket type",
        [-EAI_MEMORY] = "out of memory",
        [-EAI_SYSTEM] = "system error",
        [-EAI_OVERFLOW] = "the buffer is too small",
    };

    if (error > 0 || -error >= (int)ARRAY_SIZE(texts) || !texts[-error])
        return "unknown error";
    return texts[-error];
}

/* --- the older interface --- */

_Thread_local int h_errno;

struct hostent *gethostbyname(const char *name)
{
    static _Thread_local struct {
        struct hostent host;
        char name[256];
        struct in_addr address;
        char *addresses[2], *aliases[1];
    } own;
    const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list;
    int rc = getaddrinfo(name, NULL, &hints, &list);

    if (rc) {
        h_errno = rc == EAI_AGAIN ? TRY_AGAIN : rc == EAI_NONAME ? HOST_NOT_FOUND : NO_RECOVERY;
        return NULL;
    }
    own.address = ((struct sockaddr_in *)(void *)list->ai_addr)->sin_addr;
    freeaddrinfo(list);
    snprintf(own.name, sizeof(own.name), "%s", name);
    own.addresses[0] = (char *)&own.address;
    own.host =
        (struct hostent){ own.name, own.aliases, AF_INET, sizeof(own.address), own.addresses };
    return &own.host;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    static _Thread_local struct servent own;
    static _Thread_local char *aliases[1];
    int port = port_of(name, 0);

    if (port <= 0)
        return NULL;
    own = (struct servent){ (char *)name, aliases, htons((uint16_t)port),
                            (char *)(protocol ? protocol : "tcp") };
    return &own;
}
