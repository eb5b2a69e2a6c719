noinst_LIBRARIES += librules.a
librules_a_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS) $(LMDB_CFLAGS) $(CDB_CFLAGS) \
	$(HIREDIS_CFLAGS) $(HS_CFLAGS) $(IDN2_CFLAGS)
RULES_LIBS = librules.a $(HS_LIBS) $(PCRE2_LIBS) $(IDN2_LIBS) $(GLIB_LIBS) \
	$(LMDB_LIBS) $(CDB_LIBS) $(HIREDIS_LIBS)
librules_a_SOURCES = \
	rules/action.c \
	rules/action.h \
	rules/answers.c \
	rules/arena.c \
	rules/ast.h \
	rules/backend.c \
	rules/backend.h \
	rules/backend_cdb.c \
	rules/backend_dns.c \
	rules/backend_lmdb.c \
	rules/backend_redis.c \
	rules/backend_socketmap.c \
	rules/check.c \
	rules/check_body.c \
	rules/checker.h \
	rules/check_expr.c \
	rules/check_limit.c \
	rules/check_lookup.c \
	rules/check_subject.c \
	rules/check_test.c \
	rules/check_text.c \
	rules/diag.c \
	rules/domain.c \
	rules/dump.c \
	rules/dump.h \
	rules/eval.c \
	rules/eval.h \
	rules/fill.c \
	rules/fill.h \
	rules/finish.c \
	rules/ip.c \
	rules/lex.c \
	rules/lex.h \
	rules/lint.c \
	rules/lmdb_pages.c \
	rules/names.c \
	rules/number.c \
	rules/number.h \
	rules/parse.c \
	rules/parse_body.c \
	rules/parse.h \
	rules/parse_expr.c \
	rules/parse_limit.c \
	rules/parse_rule.c \
	rules/parse_test.c \
	rules/parse_value.c \
	rules/parser.h \
	rules/pattern.c \
	rules/pattern_impl.h \
	rules/pattern_set.c \
	rules/peer.c \
	rules/policy.c \
	rules/prefilter.c \
	rules/prefilter.h \
	rules/program.c \
	rules/program.h \
	rules/redis.c \
	rules/review.c \
	rules/setting.c \
	rules/source.c \
	rules/source.h \
	rules/span.c \
	rules/subject.c \
	rules/table.c \
	rules/table.h \
	rules/table_backend.c \
	rules/table_file.c \
	rules/table_impl.h \
	rules/table_index.c \
	rules/table_key.c \
	rules/table_list.c \
	rules/table_net.c \
	rules/table_reload.c \
	rules/utf8.c \
	rules/watch.c \
	rules/watch.h \
	rules/why.c \
	rules/why.h \
	rules/words.c \
	rules/words.h
dist_man_MANS += rules/vaglio.conf.5
