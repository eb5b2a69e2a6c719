noinst_LIBRARIES += libfilter.a
libfilter_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(IDN2_CFLAGS)
FILTER_LIBS = libfilter.a $(RULES_LIBS) $(GMIME_LIBS)
libfilter_a_SOURCES = \
	filter/placeholder.c \
	filter/address.h \
	filter/current.h \
	filter/message.h \
	filter/reply.h \
	filter/session.h \
	filter/try.h
