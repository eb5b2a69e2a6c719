noinst_LIBRARIES += libfilter.a
libfilter_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(IDN2_CFLAGS) \
	$(JANSSON_CFLAGS) $(CARES_CFLAGS) $(MAGIC_CFLAGS) $(GUMBO_CFLAGS) $(ICU_CFLAGS) \
	$(ARCHIVE_CFLAGS) $(LMDB_CFLAGS)
FILTER_LIBS = libfilter.a $(RULES_LIBS) $(GMIME_LIBS) $(JANSSON_LIBS) \
	$(CARES_LIBS) $(MAGIC_LIBS) $(GUMBO_LIBS) $(ARCHIVE_LIBS) $(SPF2_LIBS)
libfilter_a_SOURCES =
AM_CPPFLAGS += \
	-I$(top_srcdir)/filter/base \
	-I$(top_srcdir)/filter/dns \
	-I$(top_srcdir)/filter/spf \
	-I$(top_srcdir)/filter/coding \
	-I$(top_srcdir)/filter/header \
	-I$(top_srcdir)/filter/html \
	-I$(top_srcdir)/filter/archive \
	-I$(top_srcdir)/filter/mime \
	-I$(top_srcdir)/filter/change \
	-I$(top_srcdir)/filter/limits \
	-I$(top_srcdir)/filter/session \
	-I$(top_srcdir)/filter/explain \
	-I$(top_srcdir)/filter/daemon \
	-I$(top_srcdir)/filter/doctor

libfilter_a_SOURCES += \
	filter/base/body.c filter/base/body.h filter/base/fail.c \
	filter/base/fail.h filter/base/log.c filter/base/log.h \
	filter/base/reply.c filter/base/reply.h filter/base/sink.c \
	filter/base/sink.h filter/base/siphash.c filter/base/siphash.h

libfilter_a_SOURCES += \
	filter/dns/dns.c filter/dns/dns.h filter/dns/dns_answer.h \
	filter/dns/dns_ares.c filter/dns/dns_cache.c filter/dns/dns_wire.c \
	filter/dns/dns_zone.c filter/dns/dns_zone.h

libfilter_a_SOURCES += \
	filter/spf/spf.c filter/spf/spf.h filter/spf/spf_check.h \
	filter/spf/spf_frame.c filter/spf/spf_libspf2.c \
	filter/spf/spf_macro.c filter/spf/spf_macro.h \
	filter/spf/spf_record.c filter/spf/spf_record.h

libfilter_a_SOURCES += \
	filter/coding/charset.c filter/coding/charset.h \
	filter/coding/transfer.c filter/coding/transfer.h \
	filter/coding/transfer_write.c

libfilter_a_SOURCES += \
	filter/header/address.c filter/header/address.h \
	filter/header/encoded.c filter/header/encoded.h \
	filter/header/header_text.h filter/header/header_write.c \
	filter/header/mailboxes.c filter/header/received.c \
	filter/header/received.h filter/header/stretch.c \
	filter/header/writer.h filter/header/writer_apply.c \
	filter/header/writer_lines.c filter/header/writer_settle.c \
	filter/header/writer_text.c

libfilter_a_SOURCES += \
	filter/html/character.c filter/html/character.h filter/html/css.c \
	filter/html/css.h filter/html/html.c filter/html/html.h \
	filter/html/link.c filter/html/link.h filter/html/markup.c \
	filter/html/markup.h filter/html/markup_text.c filter/html/seen.c \
	filter/html/seen.h filter/html/url.c filter/html/url.h

libfilter_a_SOURCES += \
	filter/archive/apart.c filter/archive/apart.h \
	filter/archive/content.c filter/archive/content.h \
	filter/archive/file_name.c filter/archive/file_name.h \
	filter/archive/unpack.c filter/archive/unpack.h \
	filter/archive/unpack_libarchive.c filter/archive/unpack_names.c \
	filter/archive/unpack_tnef.c filter/archive/unpack_zip.c

libfilter_a_SOURCES += \
	filter/mime/mime.c filter/mime/mime.h filter/mime/mime_archive.c \
	filter/mime/mime_decode.c filter/mime/mime_facts.c \
	filter/mime/mime_facts.h filter/mime/mime_head.c \
	filter/mime/mime_charset.c filter/mime/mime_cms.c \
	filter/mime/mime_link.c \
	filter/mime/mime_name.c filter/mime/mime_param.c \
	filter/mime/mime_text.c filter/mime/mime_uu.c

libfilter_a_SOURCES += \
	filter/change/attached.c filter/change/attached.h \
	filter/change/change.c filter/change/change.h filter/change/cut.c \
	filter/change/cut.h filter/change/detach.c filter/change/detach.h \
	filter/change/edit.c filter/change/edit.h \
	filter/change/message.c filter/change/message.h \
	filter/change/message_changes.c filter/change/message_envelope.c \
	filter/change/message_header.c filter/change/message_impl.h \
	filter/change/message_result.c filter/change/own.c \
	filter/change/own.h filter/change/splice.c filter/change/splice.h \
	filter/change/write.c filter/change/write.h

libfilter_a_SOURCES += \
	filter/limits/limits.c filter/limits/limits_counts.c \
	filter/limits/limits_counts.h filter/limits/limits_file.c \
	filter/limits/limits_file.h filter/limits/limits_memory.c \
	filter/limits/limits_redis.c filter/limits/limits_redis.h \
	filter/limits/limits_redis_top.c filter/limits/limits_said.c \
	filter/limits/limits_saver.c filter/limits/limits_saver.h \
	filter/limits/limits_show.c filter/limits/limits_show.h \
	filter/limits/limits_store.h filter/limits/notice.c \
	filter/limits/notice.h filter/limits/notice_mail.c \
	filter/limits/window.c filter/limits/window.h

libfilter_a_SOURCES += \
	filter/session/asker.c filter/session/asker.h filter/session/facts.c \
	filter/session/facts_answer.c filter/session/facts_answer.h \
	filter/session/facts_body.c filter/session/facts_connection.c \
	filter/session/facts_envelope.c filter/session/facts_fields.c \
	filter/session/facts_header.c filter/session/facts_mailboxes.c \
	filter/session/facts_origin.c filter/session/facts_spf.c \
	filter/session/facts_tls.c filter/session/report.c \
	filter/session/report.h filter/session/session.c \
	filter/session/session.h filter/session/session_answer.c \
	filter/session/session_end.c filter/session/session_impl.h \
	filter/session/stamp.c filter/session/stamp.h \
	filter/session/stamp_message.c filter/session/tally.c \
	filter/session/tally.h filter/session/told.c filter/session/told.h

libfilter_a_SOURCES += \
	filter/explain/diff.c filter/explain/diff.h \
	filter/explain/explain.c filter/explain/explain.h \
	filter/explain/explain_json.c filter/explain/trial.c \
	filter/explain/trial.h filter/explain/try.c filter/explain/try.h

libfilter_a_SOURCES += \
	filter/daemon/control.c filter/daemon/control.h \
	filter/daemon/current.c filter/daemon/current.h \
	filter/daemon/identity.c filter/daemon/identity.h \
	filter/daemon/options.c filter/daemon/options.h \
	filter/daemon/socket.c filter/daemon/socket.h

libfilter_a_SOURCES += \
	filter/doctor/doctor.c filter/doctor/doctor.h \
	filter/doctor/doctor_postfix.c filter/doctor/doctor_postfix.h \
	filter/doctor/doctor_postfix_around.c \
	filter/doctor/doctor_postfix_asked.c \
	filter/doctor/doctor_postfix_checks.c \
	filter/doctor/doctor_postfix_checks.h \
	filter/doctor/doctor_postfix_mend.c \
	filter/doctor/doctor_postfix_named.c \
	filter/doctor/doctor_postfix_sent.c filter/doctor/doctor_sendmail.c \
	filter/doctor/doctor_socket.c filter/doctor/doctor_visit.c \
	filter/doctor/doctor_visit.h

sbin_PROGRAMS += vaglio
vaglio_SOURCES = filter/main.c filter/daemon/run.c filter/daemon/run.h \
	filter/daemon/run_impl.h filter/daemon/run_orders.c \
	filter/daemon/process.c filter/daemon/process.h \
	filter/daemon/milter.c filter/daemon/milter.h \
	filter/daemon/milter_ask.c filter/daemon/milter_impl.h \
	filter/daemon/milter_tell.c
vaglio_LDADD = $(FILTER_LIBS) $(MILTER_LIBS)
dist_man_MANS += filter/vaglio.8
