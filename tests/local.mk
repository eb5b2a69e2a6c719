# Unit tests: one program a module, tests/test_MODULE.c, with libcheck.
EXTRA_DIST += tests/check.h
TESTS += $(check_PROGRAMS)

if HAVE_CHECK
check_PROGRAMS += tests/test_ip tests/test_domain tests/test_utf8 \
	tests/test_pattern tests/test_prefilter tests/test_table
tests_test_prefilter_SOURCES = tests/test_prefilter.c tests/check.h
tests_test_prefilter_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_prefilter_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
tests_test_table_SOURCES = tests/test_table.c tests/tables.c \
	tests/tables.h tests/check.h
tests_test_table_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_table_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
tests_test_ip_SOURCES = tests/test_ip.c tests/check.h
tests_test_ip_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_ip_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
tests_test_domain_SOURCES = tests/test_domain.c tests/check.h
tests_test_domain_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_domain_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
tests_test_utf8_SOURCES = tests/test_utf8.c tests/check.h
tests_test_utf8_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_utf8_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
tests_test_pattern_SOURCES = tests/test_pattern.c tests/check.h
tests_test_pattern_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_pattern_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
endif

# Addresses, the header and replies.
if HAVE_CHECK
check_PROGRAMS += tests/test_address tests/test_encoded tests/test_message \
	tests/test_reply tests/test_rewrite
tests_test_address_SOURCES = tests/test_address.c tests/check.h
tests_test_address_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_address_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
tests_test_rewrite_SOURCES = tests/test_rewrite.c tests/check.h
tests_test_rewrite_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_rewrite_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
tests_test_encoded_SOURCES = tests/test_encoded.c tests/check.h
tests_test_encoded_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_encoded_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
tests_test_message_SOURCES = tests/test_message.c tests/two_mtas.c \
	tests/two_mtas.h tests/check.h
tests_test_message_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_message_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
tests_test_reply_SOURCES = tests/test_reply.c tests/check.h
tests_test_reply_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_reply_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

if HAVE_CHECK
check_PROGRAMS += tests/test_review
tests_test_review_SOURCES = tests/test_review.c tests/fake_facts.c \
	tests/fake_facts.h tests/check.h
tests_test_review_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_review_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
endif

# The manual against the source's tables, and its examples.
TESTS += tests/manual.py
dist_check_SCRIPTS += tests/manual.py

# Scripts; what needs root or an MTA says so and skips.
TEST_EXTENSIONS = .sh .tap
TAP_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
dist_check_SCRIPTS += tests/layers.sh tests/policies.sh \
	tests/endtoend/postfix.tap tests/endtoend/sendmail.tap
TESTS += tests/layers.sh tests/policies.sh tests/endtoend/postfix.tap \
	tests/endtoend/sendmail.tap
AM_TESTS_ENVIRONMENT += SENDMAIL='$(SENDMAIL)'; export SENDMAIL;
EXTRA_DIST += tests/endtoend/endtoend.py tests/endtoend/private.py \
	tests/endtoend/postfix.py tests/endtoend/sendmail.py \
	tests/endtoend/cases.py tests/endtoend/scenes.py \
	tests/endtoend/attached.py tests/endtoend/policies.py \
	tests/endtoend/changes.py tests/endtoend/detached.py \
	tests/endtoend/nameserver.py \
	tests/endtoend/cases
EXTRA_DIST += contrib/spf-suite contrib/check contrib/common.sh contrib/demo contrib/demo.py \
	contrib/packages contrib/packages.check contrib/policies \
	contrib/postfix/main.cf contrib/postfix/master.cf \
	contrib/sendmail/fetch contrib/sendmail/vaglio.mc \
	contrib/sendmail/policies.mc
tests/policies.log tests/endtoend/postfix.log \
	tests/endtoend/sendmail.log: vaglio$(EXEEXT)
if HAVE_CHECK
check_PROGRAMS += tests/test_session
tests_test_session_SOURCES = tests/test_session.c tests/check.h
tests_test_session_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_session_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_current
tests_test_current_SOURCES = tests/test_current.c tests/check.h
tests_test_current_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_current_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_try tests/test_diff
tests_test_try_SOURCES = tests/test_try.c tests/check.h
tests_test_try_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_test_try_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
tests_test_diff_SOURCES = tests/test_diff.c tests/check.h
tests_test_diff_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_diff_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_log
tests_test_log_SOURCES = tests/test_log.c tests/check.h
tests_test_log_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_log_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# SPF: the suites of openspf.org, from where configure was told they are.
if HAVE_YAML
noinst_PROGRAMS += tests/spf-suite
tests_spf_suite_SOURCES = tests/spf_suite.c
tests_spf_suite_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)
tests_spf_suite_LDADD = $(FILTER_LIBS) $(YAML_LIBS)
dist_check_SCRIPTS += tests/spf_suite.sh
TESTS += tests/spf_suite.sh
AM_TESTS_ENVIRONMENT += SPF_SUITE='$(SPF_SUITE)'; export SPF_SUITE;
endif

if HAVE_CHECK
check_PROGRAMS += tests/test_dns
tests_test_dns_SOURCES = tests/test_dns.c tests/dns_server.c \
	tests/dns_server.h tests/check.h
tests_test_dns_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_dns_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_spf
tests_test_spf_SOURCES = tests/test_spf.c tests/dns_server.c \
	tests/dns_server.h tests/check.h
tests_test_spf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_spf_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_stamp
tests_test_stamp_SOURCES = tests/test_stamp.c tests/check.h
tests_test_stamp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_stamp_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
dist_check_SCRIPTS += tests/stamp_peer.py
TESTS += tests/stamp_peer.py
check_PROGRAMS += tests/test_received
tests_test_received_SOURCES = tests/test_received.c tests/check.h
tests_test_received_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_received_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_session_spf
tests_test_session_spf_SOURCES = tests/test_session_spf.c \
	tests/dns_server.c tests/dns_server.h tests/check.h
tests_test_session_spf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_session_spf_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_spf_memory
tests_test_spf_memory_SOURCES = tests/test_spf_memory.c tests/dns_server.c \
	tests/dns_server.h tests/no_memory.c tests/no_memory.h tests/check.h
tests_test_spf_memory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_spf_memory_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# The front of the language alone, and what it says about wrong policies.
noinst_PROGRAMS += tests/parse_tool
tests_parse_tool_SOURCES = tests/parse_tool.c
tests_parse_tool_LDADD = $(RULES_LIBS)
dist_check_SCRIPTS += tests/errors.sh
TESTS += tests/errors.sh
EXTRA_DIST += tests/errors tests/parse

# Fuzz targets: LLVMFuzzerTestOneInput, and a driver that any compiler builds.
noinst_PROGRAMS += tests/fuzz_parse
tests_fuzz_parse_SOURCES = tests/fuzz_parse.c tests/fuzz_main.c
tests_fuzz_parse_LDADD = $(RULES_LIBS)
noinst_PROGRAMS += tests/fuzz_spf tests/fuzz_dns
tests_fuzz_spf_SOURCES = tests/fuzz_spf.c tests/fuzz_main.c
tests_fuzz_spf_LDADD = $(FILTER_LIBS)
tests_fuzz_dns_SOURCES = tests/fuzz_dns.c tests/fuzz_main.c
tests_fuzz_dns_LDADD = $(FILTER_LIBS)
EXTRA_DIST += tests/spf
noinst_PROGRAMS += tests/fuzz_address
tests_fuzz_address_SOURCES = tests/fuzz_address.c tests/fuzz_main.c
tests_fuzz_address_LDADD = $(FILTER_LIBS)
EXTRA_DIST += tests/address/mixed tests/address/path tests/address/broken \
	tests/address/words tests/address/received
noinst_PROGRAMS += tests/fuzz_message
tests_fuzz_message_SOURCES = tests/fuzz_message.c tests/two_mtas.c \
	tests/two_mtas.h tests/fuzz_main.c
tests_fuzz_message_LDADD = $(FILTER_LIBS)
EXTRA_DIST += tests/message/header tests/message/envelope
dist_check_SCRIPTS += tests/fuzz.sh
TESTS += tests/fuzz.sh

if HAVE_CHECK
check_PROGRAMS += tests/test_parse tests/test_diag
tests_test_parse_SOURCES = tests/test_parse.c tests/check.h
tests_test_parse_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_parse_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
tests_test_diag_SOURCES = tests/test_diag.c tests/check.h
tests_test_diag_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_diag_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
endif

# The filter as it is installed, against the MTA's side of the protocol.
if HAVE_CHECK
check_PROGRAMS += tests/test_protocol
tests_test_protocol_SOURCES = tests/test_protocol.c tests/daemon.c \
	tests/daemon.h tests/mta.c tests/mta.h tests/check.h
tests_test_protocol_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_protocol_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# The command line, the log.
if HAVE_CHECK
check_PROGRAMS += tests/test_options tests/test_sink tests/test_notice
tests_test_notice_SOURCES = tests/test_notice.c tests/daemon.c \
	tests/daemon.h tests/mta.c tests/mta.h tests/check.h
tests_test_notice_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_notice_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
tests_test_options_SOURCES = tests/test_options.c tests/check.h
tests_test_options_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_options_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
tests_test_sink_SOURCES = tests/test_sink.c tests/check.h
tests_test_sink_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_sink_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# Tables' files.
noinst_PROGRAMS += tests/fuzz_table
tests_fuzz_table_SOURCES = tests/fuzz_table.c tests/fuzz_main.c
tests_fuzz_table_LDADD = $(RULES_LIBS)
EXTRA_DIST += tests/table

# Tests that hang are to end, those on a busy machine are not.
AM_TESTS_ENVIRONMENT += \
	CK_TIMEOUT_MULTIPLIER="$${CK_TIMEOUT_MULTIPLIER:-5}"; \
	export CK_TIMEOUT_MULTIPLIER;

# The sanitizers, where they are built in, are as strict wherever tests run.
EXTRA_DIST += tests/tsan.supp
AM_TESTS_ENVIRONMENT += \
	ASAN_OPTIONS="detect_stack_use_after_return=1 strict_string_checks=1 $$ASAN_OPTIONS"; \
	UBSAN_OPTIONS="print_stacktrace=1 halt_on_error=1 $$UBSAN_OPTIONS"; \
	TSAN_OPTIONS="second_deadlock_stack=1 suppressions=$(abs_srcdir)/tests/tsan.supp $$TSAN_OPTIONS"; \
	export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS;
if HAVE_CHECK
check_PROGRAMS += tests/test_session_memory
tests_test_session_memory_SOURCES = tests/test_session_memory.c \
	tests/no_memory.c tests/no_memory.h tests/check.h rules/base/arena.c
tests_test_session_memory_CPPFLAGS = $(AM_CPPFLAGS) '-DBLOCK_BYTES(used)=0'
tests_test_session_memory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_session_memory_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# Calls of a session in any order.
noinst_PROGRAMS += tests/fuzz_session
tests_fuzz_session_SOURCES = tests/fuzz_session.c tests/fuzz_main.c
tests_fuzz_session_LDADD = $(FILTER_LIBS)
EXTRA_DIST += tests/session

# Policies with their own tests; each printed back is a policy that passes
# them, too.
EXTRA_DIST += tests/cases
dist_check_SCRIPTS += tests/cases.sh
TESTS += tests/cases.sh
dist_check_SCRIPTS += tests/reading.py
TESTS += tests/reading.py

# Tables whose data lives elsewhere; postmap makes the files.
if HAVE_CHECK
check_PROGRAMS += tests/test_backend tests/test_redis tests/test_survive
tests_test_survive_SOURCES = tests/test_survive.c tests/redis_server.c \
	tests/redis_server.h tests/daemon.c tests/daemon.h tests/dns_server.c \
	tests/dns_server.h tests/mta.c tests/mta.h tests/check.h
tests_test_survive_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_survive_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
tests_test_redis_SOURCES = tests/test_redis.c tests/redis_server.c \
	tests/redis_server.h tests/tables.c tests/tables.h tests/check.h
tests_test_redis_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_redis_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
tests_test_backend_SOURCES = tests/test_backend.c tests/tables.c \
	tests/tables.h tests/check.h
tests_test_backend_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_backend_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_dns_table
tests_test_dns_table_SOURCES = tests/test_dns_table.c tests/check.h
tests_test_dns_table_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_dns_table_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# Messages, and what the subjects of their parts say.
noinst_PROGRAMS += tests/fuzz_detach
tests_fuzz_detach_SOURCES = tests/fuzz_detach.c tests/fuzz_header.h \
	tests/fuzz_main.c
tests_fuzz_detach_LDADD = $(FILTER_LIBS)
noinst_PROGRAMS += tests/changed
tests_changed_SOURCES = tests/changed.c
tests_changed_LDADD = $(FILTER_LIBS)
dist_check_SCRIPTS += tests/detach_peer.py
TESTS += tests/detach_peer.py
noinst_PROGRAMS += tests/mime_tool
tests_mime_tool_SOURCES = tests/mime_tool.c
tests_mime_tool_LDADD = $(FILTER_LIBS)
dist_check_SCRIPTS += tests/mime.sh tests/mime_peer.py
TESTS += tests/mime.sh tests/mime_peer.py
EXTRA_DIST += tests/mime tests/archive
noinst_PROGRAMS += tests/fuzz_archive
tests_fuzz_archive_SOURCES = tests/fuzz_archive.c tests/fuzz_main.c
tests_fuzz_archive_LDADD = $(FILTER_LIBS)
noinst_PROGRAMS += tests/fuzz_mime
tests_fuzz_mime_SOURCES = tests/fuzz_mime.c tests/fuzz_main.c
tests_fuzz_mime_LDADD = $(FILTER_LIBS)
noinst_PROGRAMS += tests/fuzz_html
tests_fuzz_html_SOURCES = tests/fuzz_html.c tests/fuzz_main.c
tests_fuzz_html_LDADD = $(FILTER_LIBS)
if HAVE_CHECK
check_PROGRAMS += tests/test_mime
tests_test_mime_SOURCES = tests/test_mime.c tests/check.h
tests_test_mime_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_mime_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_fold
tests_test_fold_SOURCES = tests/test_fold.c tests/check.h
tests_test_fold_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_fold_LDADD = $(RULES_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_url
tests_test_url_SOURCES = tests/test_url.c tests/check.h
tests_test_url_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_url_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_html
tests_test_html_SOURCES = tests/test_html.c tests/check.h
tests_test_html_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_html_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# The body, changed.
noinst_PROGRAMS += tests/change_tool
tests_change_tool_SOURCES = tests/change_tool.c
tests_change_tool_LDADD = $(FILTER_LIBS)
noinst_PROGRAMS += tests/fuzz_change
tests_fuzz_change_SOURCES = tests/fuzz_change.c tests/fuzz_header.h \
	tests/fuzz_main.c
tests_fuzz_change_LDADD = $(FILTER_LIBS)
dist_check_SCRIPTS += tests/change_peer.py
TESTS += tests/change_peer.py
if HAVE_CHECK
check_PROGRAMS += tests/test_edit
tests_test_edit_SOURCES = tests/test_edit.c tests/check.h
tests_test_edit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_edit_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_change
tests_test_change_SOURCES = tests/test_change.c tests/check.h
tests_test_change_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_change_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# What doctor finds in an MTA's configuration, fault by fault.
dist_check_SCRIPTS += tests/doctor/doctor.tap
TESTS += tests/doctor/doctor.tap
tests/doctor/doctor.log: vaglio$(EXEEXT)

# Archives, and the process that opens them.
if HAVE_CHECK
check_PROGRAMS += tests/test_archive
tests_test_archive_SOURCES = tests/test_archive.c tests/check.h
tests_test_archive_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(ARCHIVE_CFLAGS)
tests_test_archive_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif

# Limits.
if HAVE_CHECK
check_PROGRAMS += tests/test_limits
tests_test_limits_SOURCES = tests/test_limits.c tests/check.h
tests_test_limits_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_limits_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_tally
tests_test_tally_SOURCES = tests/test_tally.c tests/check.h
tests_test_tally_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_tally_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/test_limits_shared
tests_test_limits_shared_SOURCES = tests/test_limits_shared.c \
	tests/daemon.c tests/daemon.h tests/mta.c tests/mta.h \
	tests/redis_server.c tests/redis_server.h tests/check.h
tests_test_limits_shared_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_limits_shared_LDADD = $(FILTER_LIBS) $(CHECK_LIBS)
endif
