# SPDX-License-Identifier: MIT
APP_CFLAGS := -Itools/bench
