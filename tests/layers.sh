#!/bin/sh
# Who may include what. Arrows go down only: filter/ and rules/ stand on
# include/, neither takes headers out of the other, each of their rooms stands
# on those below it; and of a system's library only the files know that are
# said to.
cd "${srcdir:-.}" || exit 99
bad=0

say() {
	echo "$1"
	bad=1
}

# The rooms, each below those that may include its headers. What is in rules/
# or filter/ itself is on top of its rooms.
rules='base match words table parse program check'
filter='base dns spf coding header html archive mime change limits session
	explain daemon doctor'

# may FILE FOLDER ROOMS: each quoted header is in include/, the file's own
# FOLDER or one of the ROOMS.
may() {
	for header in $(sed -n 's/^# *include "\(.*\)"/\1/p' "$1"); do
		found=no
		for place in include $3 "$2"; do
			test ! -f "$place/$header" || found=yes
		done
		test $header = config.h || test $found = yes ||
			say "$1: \"$header\" is not in $2/ or below it"
	done
}

for library in rules filter; do
	below=
	eval "rooms=\$$library"
	for room in $rooms; do
		for file in $library/$room/*.[ch]; do
			may "$file" $library/$room "$below"
		done
		below="$below $library/$room"
	done
	for file in $library/*.[ch]; do
		may "$file" $library "$below"
	done
	for room in $library/*/; do
		case " $below " in
		*" ${room%/} "*) ;;
		*) say "$room: not a room that this test knows" ;;
		esac
	done
done
for file in include/*.h; do
	may "$file" include ''
done

# The compiler looks for a header in all rooms: its name is the only one.
for name in $(find include rules filter -name '*.h' | sed 's/.*\///' | sort |
    uniq -d); do
	say "$name: two headers have this name"
done

# only PATTERN FILES...: system headers that only these files may know.
only() {
	pattern=$1
	shift
	for file in $(grep -lE "^# *include <$pattern" \
	    $(find include rules filter -name '*.[ch]')); do
		case " $* " in
		*" $file "*) ;;
		*) say "$file: includes <$pattern...>" ;;
		esac
	done
}

only libmilter/ filter/daemon/milter_impl.h
only gmime/ filter/header/encoded.c filter/header/mailboxes.c \
	filter/coding/transfer.c
only magic filter/archive/content.c
only archive filter/archive/unpack_libarchive.c
only unicode/ rules/match/fold.c filter/html/url.c
only gumbo filter/html/html.c
only spf2/ filter/spf/spf_libspf2.c
only lmdb rules/table/backend_lmdb.c filter/limits/limits_file.c
only hiredis rules/table/redis.c
only cdb rules/table/backend_cdb.c
only ares filter/dns/dns_ares.c
only 'hs(/|\.h|_)' rules/match/pattern.c rules/match/pattern_set.c
only pcre2 rules/match/pattern.c rules/match/pattern_impl.h \
	rules/match/pattern_set.c

# The rules decide and say so to their caller; they log nothing.
for file in $(grep -lE '^# *include <(syslog|libmilter|spf2|gmime)' \
    $(find include rules -name '*.[ch]')); do
	say "$file: knows more than the rules should"
done

exit $bad
