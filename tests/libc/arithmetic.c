/* SPDX-License-Identifier: MIT */
/*
 * math.h. What IEEE 754 defines exactly is printed in full; of the transcendental functions, which
 * libraries round differently in the last bit, 11 digits.
 */
#include <math.h>

#include "libc_test.h"

/* Everything with a side effect runs before its line: arguments have no order of evaluation. */
static void exact(double x, double y)
{
    int exponent;
    double mantissa = frexp(x, &exponent), whole, fraction = modf(x, &whole);

    out("%.17g %.17g: %.17g %.17g %.17g %.17g", x, y, floor(x), ceil(x), trunc(x), round(x));
    out("  %.17g %.17g %.17g %.17g", rint(x), nearbyint(x), fabs(x), sqrt(fabs(x)));
    out("  %.17g %.17g %.17g", fmod(x, y), remainder(x, y), copysign(x, y));
    out("  %.17g %.17g %.17g", fmax(x, y), fmin(x, y), fdim(x, y));
    out("  %.17g %.17g %.17g", nextafter(x, y), fma(x, 0.5, y), scalbn(x, 1));
    out("  %.17g %d %.17g %.17g", mantissa, exponent, fraction, whole);
    out("  %d %.17g %d %d", x == 0 ? 0 : ilogb(x), logb(x), signbit(x) != 0, isgreater(x, y) != 0);
}

static void nearly(double x)
{
    double small = fmod(x, 20);
    double one = fmod(x, 1);

    out("%.17g: %.11g %.11g %.11g", small, sin(small), cos(small), tan(small));
    out("  %.11g %.11g %.11g", exp(small), log(fabs(small)), log10(fabs(small)));
    out("  %.11g %.11g %.11g", pow(fabs(small), 1.7), exp2(small), log2(fabs(small)));
    out("  %.11g %.11g %.11g", atan(small), asin(one), acos(one));
    out("  %.11g %.11g %.11g", sinh(small), cosh(small), tanh(small));
    out("  %.11g %.11g %.11g", atan2(small, one), hypot(small, one), cbrt(small));
    out("  %.11g %.11g", expm1(one), log1p(fabs(one)));
    out("  %.4g %.4g %.4g", (double)sinf((float)small), (double)expf((float)one),
        (double)sqrtf(fabsf((float)small)));
}

void test_math(void)
{
    for (int i = 0; i < 400; i++) {
        double x = random_double(), y = random_double();

        exact(x, y);
        x = ldexp((double)(int64_t)random_next(), -62 + (int)(random_next() % 12));
        y = ldexp((double)(int64_t)random_next(), -62 + (int)(random_next() % 12));
        exact(x, y);
        exact(i / 2.0 - 100, 3.5);
        out("%ld %lld", lround(x / 16), llrint(y / 16));
        nearly(x);
    }
    out("%d %d %d", fpclassify(0.0) == FP_ZERO, fpclassify(1e-310) == FP_SUBNORMAL,
        fpclassify(INFINITY) == FP_INFINITE);
    out("%g %g %d %g", sqrt(2.0) * 0, pow(0, 0), isnan(sqrt(-1.0)) != 0, log(0.0));
}
