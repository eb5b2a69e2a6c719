# Benchmarks, not part of the suite: `make bench`, then tests/bench/run.
EXTRA_PROGRAMS += tests/bench/empty tests/bench/load
tests_bench_empty_SOURCES = tests/bench/empty.c
tests_bench_empty_LDADD = $(MILTER_LIBS)
tests_bench_load_SOURCES = tests/bench/load.c
EXTRA_DIST += tests/bench/run tests/bench/hostile
CLEANFILES += tests/bench/empty$(EXEEXT) tests/bench/load$(EXEEXT)

bench: tests/bench/empty$(EXEEXT) tests/bench/load$(EXEEXT)
.PHONY: bench

# What tables and sets of patterns cost: make tests/bench/table_bench
EXTRA_PROGRAMS += tests/bench/table_bench
tests_bench_table_bench_SOURCES = tests/bench/table_bench.c
tests_bench_table_bench_LDADD = $(RULES_LIBS)
CLEANFILES += tests/bench/table_bench$(EXEEXT)

# What SPF costs: make tests/bench/spf_bench
EXTRA_PROGRAMS += tests/bench/spf_bench
tests_bench_spf_bench_SOURCES = tests/bench/spf_bench.c tests/dns_server.c \
	tests/dns_server.h
tests_bench_spf_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_bench_spf_bench_LDADD = $(FILTER_LIBS)
CLEANFILES += tests/bench/spf_bench$(EXEEXT)

# What the back ends of tables cost: see tests/bench/backends
EXTRA_PROGRAMS += tests/bench/backend_bench
tests_bench_backend_bench_SOURCES = tests/bench/backend_bench.c
tests_bench_backend_bench_LDADD = $(RULES_LIBS)
EXTRA_DIST += tests/bench/backends
CLEANFILES += tests/bench/backend_bench$(EXEEXT)

# What decoding and matching a text cost: make tests/bench/mime_bench
EXTRA_PROGRAMS += tests/bench/mime_bench
tests_bench_mime_bench_SOURCES = tests/bench/mime_bench.c
tests_bench_mime_bench_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(PCRE2_CFLAGS)
tests_bench_mime_bench_LDADD = $(FILTER_LIBS)
CLEANFILES += tests/bench/mime_bench$(EXEEXT)
