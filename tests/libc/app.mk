# SPDX-License-Identifier: MIT
# The library is what is tested: the compiler must not answer for it.
APP_CFLAGS := -fno-builtin
