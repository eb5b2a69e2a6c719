noinst_LIBRARIES += librules.a
librules_a_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS) $(HS_CFLAGS) $(IDN2_CFLAGS)
RULES_LIBS = librules.a $(HS_LIBS) $(PCRE2_LIBS) $(IDN2_LIBS) $(GLIB_LIBS)
librules_a_SOURCES = \
	rules/action.c rules/action.h \
	rules/arena.c rules/domain.c rules/ip.c rules/names.c rules/utf8.c \
	rules/span.c \
	rules/ast.h \
	rules/dump.h \
	rules/parse.h \
	rules/pattern.c rules/pattern_set.c rules/pattern.h \
	rules/subject.c \
	rules/table.h
