/* SPDX-License-Identifier: MIT */
/* time.h: calendar conversions in UTC and in a zone with summer time. %Z's text is free. */
#include <stdlib.h>
#include <time.h>

#include "libc_test.h"

static const char *const formats[] = {
    "%Y-%m-%d %H:%M:%S", "%a %A %b %B %h", "%c|%x|%X|%r",        "%C %y %e %j", "%I %p",
    "%u %w %U %W",       "%V %G %g",       "%D %F %T %R %n%t%%",
};

static void show(const struct tm *tm)
{
    char text[200];

    out("%d-%d-%d %d:%d:%d wday %d yday %d dst %d", tm->tm_year, tm->tm_mon, tm->tm_mday,
        tm->tm_hour, tm->tm_min, tm->tm_sec, tm->tm_wday, tm->tm_yday, tm->tm_isdst);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strftime(text, sizeof text, formats[i], tm))
            out("  %s", text);
}

static void normalise(void)
{
    for (int i = 0; i < 150; i++) {
        struct tm tm = { .tm_year = (int)(random_next() % 200) };
        time_t t;

        tm.tm_mon = (int)(random_next() % 40) - 10;
        tm.tm_mday = (int)(random_next() % 100) - 40;
        tm.tm_hour = (int)(random_next() % 100) - 40;
        tm.tm_min = (int)(random_next() % 1000) - 400;
        tm.tm_sec = (int)(random_next() % 100000) - 40000;
        t = mktime(&tm);

        out("mktime %lld", (long long)t);
        show(&tm);
    }
}

static void summer_time(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
    for (int hour = 0; hour < 366 * 24; hour += 11) {
        time_t t = 1704067200 + (time_t)hour * 3600; /* 2024 */
        struct tm tm = *localtime(&t);

        out("%s %d %d-%d %d:%d dst %d", zone, hour, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
            tm.tm_isdst);
        out("  back %d", mktime(&tm) == t);
    }
}

void test_time(void)
{
    char text[8];
    struct tm tm;
    time_t t;

    setenv("TZ", "UTC0", 1);
    tzset();
    for (int i = 0; i < 200; i++) {
        t = (time_t)(random_next() % 8000000000u) - 2000000000;
        gmtime_r(&t, &tm);
        out("%lld", (long long)t);
        show(&tm);
        out("  %.24s", asctime(&tm));
        out("  %d", mktime(&tm) == t);
    }
    for (int year = 1970; year < 2100; year++) { /* every way a year can start */
        tm = (struct tm){ .tm_year = year - 1900, .tm_mon = 0, .tm_mday = 1 };
        mktime(&tm);
        show(&tm);
        tm = (struct tm){ .tm_year = year - 1900, .tm_mon = 11, .tm_mday = 31 };
        mktime(&tm);
        show(&tm);
    }
    normalise();
    out("too small: %zu", strftime(text, 4, "%Y-%m-%d", &tm));
    out("difftime %g", difftime(1000000000, 999999000));
    summer_time("EST5EDT,M3.2.0,M11.1.0");
    summer_time("CET-1CEST,M3.5.0,M10.5.0/3");
    setenv("TZ", "UTC0", 1);
    tzset();
}
