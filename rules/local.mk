noinst_LIBRARIES += librules.a
librules_a_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS) $(LMDB_CFLAGS) $(CDB_CFLAGS) \
	$(HIREDIS_CFLAGS) $(HS_CFLAGS) $(IDN2_CFLAGS) $(ICU_CFLAGS)
RULES_LIBS = librules.a $(HS_LIBS) $(PCRE2_LIBS) $(IDN2_LIBS) $(ICU_LIBS) $(GLIB_LIBS) \
	$(LMDB_LIBS) $(CDB_LIBS) $(HIREDIS_LIBS)
librules_a_SOURCES =
AM_CPPFLAGS += \
	-I$(top_srcdir)/rules/base \
	-I$(top_srcdir)/rules/match \
	-I$(top_srcdir)/rules/words \
	-I$(top_srcdir)/rules/table \
	-I$(top_srcdir)/rules/parse \
	-I$(top_srcdir)/rules/program \
	-I$(top_srcdir)/rules/check

librules_a_SOURCES += \
	rules/base/arena.c rules/base/diag.c rules/base/domain.c \
	rules/base/ip.c rules/base/names.c rules/base/number.c \
	rules/base/number.h rules/base/span.c rules/base/utf8.c

librules_a_SOURCES += \
	rules/match/fold.c rules/match/fold.h rules/match/pattern.c \
	rules/match/pattern_impl.h rules/match/pattern_set.c \
	rules/match/prefilter.c rules/match/prefilter.h

librules_a_SOURCES += \
	rules/words/action.c rules/words/action.h rules/words/subject.c \
	rules/words/words.c rules/words/words.h

librules_a_SOURCES += \
	rules/table/backend.c rules/table/backend.h \
	rules/table/backend_cdb.c rules/table/backend_dns.c \
	rules/table/backend_lmdb.c rules/table/backend_redis.c \
	rules/table/backend_socketmap.c rules/table/lmdb_pages.c \
	rules/table/peer.c rules/table/redis.c rules/table/table.c \
	rules/table/table.h rules/table/table_backend.c \
	rules/table/table_file.c rules/table/table_impl.h \
	rules/table/table_index.c rules/table/table_key.c \
	rules/table/table_list.c rules/table/table_net.c \
	rules/table/table_reload.c rules/table/table_spell.c \
	rules/table/watch.c rules/table/watch.h

librules_a_SOURCES += \
	rules/parse/ast.h rules/parse/lex.c rules/parse/lex.h \
	rules/parse/parse.c rules/parse/parse.h rules/parse/parse_body.c \
	rules/parse/parse_expr.c rules/parse/parse_limit.c \
	rules/parse/parse_rule.c rules/parse/parse_test.c \
	rules/parse/parse_value.c rules/parse/parser.h rules/parse/source.c \
	rules/parse/source.h

librules_a_SOURCES += \
	rules/program/effect.c rules/program/effect_where.c \
	rules/program/eval.c rules/program/eval.h \
	rules/program/fill.c rules/program/fill.h rules/program/program.c \
	rules/program/program.h rules/program/review.c \
	rules/program/review_effects.c rules/program/review_impl.h \
	rules/program/review_pass.c rules/program/review_shadows.c \
	rules/program/why.c rules/program/why.h

librules_a_SOURCES += \
	rules/check/answers.c rules/check/check.c rules/check/check_body.c \
	rules/check/check_expr.c rules/check/check_folded.c \
	rules/check/check_limit.c rules/check/check_lookup.c rules/check/check_meant.c \
	rules/check/check_subject.c rules/check/check_test.c \
	rules/check/check_text.c rules/check/check_where.c \
	rules/check/checker.h rules/check/finish.c \
	rules/check/lint.c rules/check/setting.c

librules_a_SOURCES += \
	rules/dump.c rules/dump.h rules/policy.c

dist_man_MANS += rules/vaglio.conf.5
