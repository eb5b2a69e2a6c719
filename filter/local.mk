noinst_LIBRARIES += libfilter.a
libfilter_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(IDN2_CFLAGS) \
	$(JANSSON_CFLAGS) $(CARES_CFLAGS) $(MAGIC_CFLAGS) $(GUMBO_CFLAGS) $(ICU_CFLAGS) \
	$(ARCHIVE_CFLAGS) $(LMDB_CFLAGS)
FILTER_LIBS = libfilter.a $(RULES_LIBS) $(GMIME_LIBS) $(JANSSON_LIBS) \
	$(CARES_LIBS) $(MAGIC_LIBS) $(GUMBO_LIBS) $(ARCHIVE_LIBS) $(SPF2_LIBS)
libfilter_a_SOURCES = \
	filter/address.c filter/address.h \
	filter/apart.c filter/apart.h \
	filter/asker.c filter/asker.h \
	filter/character.c filter/character.h \
	filter/change.c filter/change.h \
	filter/charset.c filter/charset.h \
	filter/mailboxes.c \
	filter/body.c filter/body.h \
	filter/content.c filter/content.h \
	filter/control.c filter/control.h \
	filter/css.c filter/css.h \
	filter/diff.c filter/diff.h \
	filter/edit.c filter/edit.h \
	filter/doctor.c filter/doctor.h \
	filter/doctor_postfix.c filter/doctor_postfix.h \
	filter/doctor_postfix_checks.c \
	filter/doctor_sendmail.c filter/doctor_socket.c \
	filter/doctor_visit.c filter/doctor_visit.h \
	filter/explain.c filter/explain_json.c filter/explain.h \
	filter/fail.c filter/fail.h \
	filter/html.c filter/html.h \
	filter/facts.c filter/told.c filter/told.h \
	filter/current.c filter/current.h \
	filter/identity.c filter/identity.h \
	filter/limits.c filter/limits_store.h \
	filter/limits_memory.c filter/limits_counts.c filter/limits_counts.h \
	filter/limits_saver.c filter/limits_saver.h \
	filter/limits_file.c filter/limits_file.h \
	filter/limits_redis.c filter/limits_redis.h filter/limits_redis_top.c \
	filter/limits_said.c filter/limits_show.c filter/limits_show.h \
	filter/link.c filter/link.h \
	filter/log.c filter/log.h \
	filter/markup.c filter/markup.h filter/markup_text.c \
	filter/message.c filter/message.h \
	filter/mime.c filter/mime.h filter/mime_archive.c \
	filter/mime_decode.c \
	filter/mime_facts.c filter/mime_facts.h filter/mime_head.c \
	filter/mime_name.c filter/mime_param.c filter/mime_link.c filter/mime_text.c \
	filter/mime_uu.c \
	filter/notice.c filter/notice.h filter/notice_mail.c \
	filter/options.c filter/options.h \
	filter/own.c filter/own.h \
	filter/reply.c filter/reply.h \
	filter/report.c filter/report.h \
	filter/seen.c filter/seen.h \
	filter/session.c filter/session.h \
	filter/siphash.c filter/siphash.h \
	filter/sink.c filter/sink.h \
	filter/splice.c filter/splice.h \
	filter/socket.c filter/socket.h \
	filter/tally.c filter/tally.h \
	filter/transfer.c filter/transfer.h filter/transfer_write.c \
	filter/trial.c filter/trial.h \
	filter/try.c filter/try.h \
	filter/url.c filter/url.h \
	filter/unpack.c filter/unpack.h filter/unpack_libarchive.c \
	filter/unpack_names.c filter/unpack_tnef.c filter/unpack_zip.c \
	filter/window.c filter/window.h \
	filter/write.c filter/write.h

sbin_PROGRAMS += vaglio
vaglio_SOURCES = filter/main.c filter/run.c filter/run.h \
	filter/milter.c filter/milter.h
vaglio_LDADD = $(FILTER_LIBS) $(MILTER_LIBS)
dist_man_MANS += filter/vaglio.8

libfilter_a_SOURCES += \
	filter/dns.c filter/dns.h filter/dns_answer.h \
	filter/dns_ares.c \
	filter/dns_cache.c \
	filter/dns_wire.c \
	filter/dns_zone.c filter/dns_zone.h \
	filter/spf.c filter/spf.h filter/spf_check.h \
	filter/spf_frame.c \
	filter/spf_libspf2.c \
	filter/spf_macro.c filter/spf_macro.h \
	filter/spf_record.c filter/spf_record.h \
	filter/received.c filter/received.h \
	filter/stamp.c filter/stamp.h \
	filter/stamp_message.c

# Header fields, read and written.
libfilter_a_SOURCES += \
	filter/encoded.c filter/encoded.h \
	filter/header_write.c filter/stretch.c

# Attachments, taken out.
libfilter_a_SOURCES += filter/detach.c filter/detach.h
