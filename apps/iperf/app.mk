# lwIP's lwiperf is used as it is.
APP_CFLAGS := $(LWIP_INCLUDE)
APP_NEEDS  := build/lwip-source/stamp
