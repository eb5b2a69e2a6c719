noinst_HEADERS = \
	include/arena.h \
	include/ascii.h \
	include/caps.h \
	include/defect.h \
	include/diag.h \
	include/domain.h \
	include/facts.h \
	include/ip.h \
	include/limit.h \
	include/lmdb_pages.h \
	include/lookup.h \
	include/pattern.h \
	include/peer.h \
	include/policy.h \
	include/redis.h \
	include/scenario.h \
	include/setting.h \
	include/span.h \
	include/stage.h \
	include/subject.h \
	include/truth.h \
	include/utf8.h \
	include/value.h \
	include/verdict.h
