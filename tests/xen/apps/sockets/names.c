/* SPDX-License-Identifier: MIT
 *
 * Addresses, their text, names, and options.
 */
#include <netdb.h>
#include "sockets.h"

static void text_is(const char *in, const char *out)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    if (CHECK_EQ(inet_pton(AF_INET6, in, &address), 1) &&
        CHECK(inet_ntop(AF_INET6, &address, text, sizeof(text)) != NULL) &&
        !CHECK_EQ(strcmp(text, out), 0))
        printf("# %s: %s\n", in, text);
}

TEST(inet_text_of_addresses)
{
    static const char *const wrong[] = {
        "",    ":",       "1:2",  "1::2::3", "12345::",     "1:2:3:4:5:6:7:8:9",
        "g::", "::1.2.3", ":1::", "1:",      "::1.2.3.256", ":::"
    };
    struct in_addr address;
    unsigned char bytes[16];
    char text[16];

    text_is("::", "::");
    text_is("::1", "::1");
    text_is("1::", "1::");
    text_is("2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
    text_is("fe80::1:0:0:1", "fe80::1:0:0:1");
    text_is("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8");
    text_is("1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8");
    text_is("::ffff:1.2.3.4", "::ffff:1.2.3.4");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (!CHECK_EQ(inet_pton(AF_INET6, wrong[i], bytes), 0))
            printf("# %s\n", wrong[i]);
    CHECK_EQ(inet_pton(AF_INET, "1.2.3.4", bytes), 1);
    CHECK_EQ(inet_pton(AF_INET, "1.2.3", bytes), 0);
    CHECK_EQ(inet_pton(AF_INET, "1.2.3.256", bytes), 0);
    CHECK_EQ(inet_pton(AF_INET, "01.2.3.4", bytes), 0);
    CHECK_EQ(inet_aton("127.1", &address), 1);
    CHECK_EQ(address.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(inet_aton("0x7f.0.0.1", &address), 1);
    CHECK_EQ(inet_aton("1.2.3.4.5", &address), 0);
    CHECK_EQ(inet_addr("nonsense"), INADDR_NONE);
    CHECK_EQ(strcmp(inet_ntoa(address), "127.0.0.1"), 0);
    CHECK(inet_ntop(AF_INET, &address, text, 5) == NULL && errno == ENOSPC);
}

TEST(getaddrinfo_without_a_server)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
    char host[NI_MAXHOST], service[NI_MAXSERV];

    REQUIRE_EQ(getaddrinfo("localhost", "http", &hints, &list), 0);
    CHECK_EQ(list->ai_family, AF_INET);
    CHECK_EQ(((struct sockaddr_in *)list->ai_addr)->sin_port, htons(80));
    CHECK_EQ(getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof(host), service,
                         sizeof(service), 0),
             0);
    CHECK_EQ(strcmp(host, "127.0.0.1") | strcmp(service, "http"), 0);
    REQUIRE(list->ai_next != NULL);
    CHECK_EQ(list->ai_next->ai_family, AF_INET6);
    CHECK(list->ai_next->ai_next == NULL);
    freeaddrinfo(list);
    hints.ai_flags = AI_PASSIVE;
    hints.ai_family = AF_INET6;
    REQUIRE_EQ(getaddrinfo(NULL, "8080", &hints, &list), 0);
    CHECK(IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr));
    freeaddrinfo(list);
    hints = (struct addrinfo){ .ai_flags = AI_NUMERICHOST };
    CHECK_EQ(getaddrinfo("example.org", "80", &hints, &list), EAI_NONAME);
    CHECK_EQ(getaddrinfo("1.2.3.4", "no-such-service", NULL, &list), EAI_SERVICE);
    CHECK_EQ(getaddrinfo(NULL, NULL, NULL, &list), EAI_NONAME);
    REQUIRE_EQ(getaddrinfo("1.2.3.4", "53", NULL, &list), 0);
    CHECK(list->ai_next && list->ai_next->ai_socktype == SOCK_DGRAM);
    freeaddrinfo(list);
    CHECK(gethostbyname("10.1.2.3") != NULL);
    CHECK(strlen(gai_strerror(EAI_AGAIN)) > 3);
    CHECK_EQ(getservbyname("ssh", "tcp")->s_port, htons(22));
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, level, name, &value, &len) ? -1 : value;
}

static bool set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

TEST(options_are_kept)
{
    int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET6, SOCK_DGRAM, 0);

    CHECK_EQ(option(tcp, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(option(udp, SOL_SOCKET, SO_DOMAIN), AF_INET6);
    CHECK_EQ(option(udp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    for (int name = 0; name < 2; name++) {
        int flag = name ? SO_KEEPALIVE : SO_REUSEADDR;

        CHECK_EQ(option(tcp, SOL_SOCKET, flag), 0);
        CHECK(set(tcp, SOL_SOCKET, flag, 1));
        CHECK_EQ(option(tcp, SOL_SOCKET, flag), 1);
    }
    CHECK(set(tcp, IPPROTO_TCP, TCP_NODELAY, 1));
    CHECK_EQ(option(tcp, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK(set(tcp, IPPROTO_TCP, TCP_KEEPIDLE, 30));
    CHECK_EQ(option(tcp, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    CHECK(set(tcp, IPPROTO_TCP, TCP_KEEPINTVL, 5));
    CHECK(set(tcp, IPPROTO_TCP, TCP_KEEPCNT, 4));
    CHECK_EQ(option(tcp, IPPROTO_TCP, TCP_KEEPCNT), 4);
    CHECK(set(tcp, IPPROTO_IP, IP_TTL, 12));
    CHECK_EQ(option(tcp, IPPROTO_IP, IP_TTL), 12);
    CHECK(set(tcp, IPPROTO_IP, IP_TOS, 16));
    CHECK_EQ(option(tcp, IPPROTO_IP, IP_TOS), 16);
    CHECK_EQ(option(udp, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    CHECK(set(udp, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    CHECK_EQ(option(udp, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    CHECK(set(udp, SOL_SOCKET, SO_RCVBUF, 100000));
    CHECK_EQ(option(udp, SOL_SOCKET, SO_RCVBUF), 100000);
    CHECK(option(tcp, SOL_SOCKET, SO_SNDBUF) > 0);
    CHECK_FAILS(setsockopt(udp, IPPROTO_TCP, TCP_NODELAY, &udp, sizeof(udp)), ENOPROTOOPT);
    CHECK_FAILS(setsockopt(tcp, SOL_SOCKET, 999, &udp, sizeof(udp)), ENOPROTOOPT);
    CHECK_FAILS(setsockopt(tcp, IPPROTO_IP, IP_TTL, &udp, 0), EINVAL);
    close(tcp);
    close(udp);
}
