#!/bin/sh
# Who may include what. Arrows go down only: filter/ stands on include/ and
# rules/ on include/; neither takes headers out of the other's folder, and
# each library has the files that know it.
cd "${srcdir:-.}" || exit 99
bad=0

say() {
	echo "$1"
	bad=1
}

# A quoted header is in the own folder or in include/.
for file in include/*.h rules/*.[ch] filter/*.[ch]; do
	folder=${file%/*}
	for header in $(sed -n 's/^# *include "\(.*\)"/\1/p' "$file"); do
		case $header in
		config.h) continue ;;
		*/*) say "$file: \"$header\" is a path" ;;
		esac
		test -f "$folder/$header" || test -f "include/$header" ||
			say "$file: \"$header\" is not of $folder/ or include/"
	done
done

# only PATTERN FILES...: system headers that only these files may know.
only() {
	pattern=$1
	shift
	for file in $(grep -lE "^# *include <$pattern" \
	    include/*.h rules/*.[ch] filter/*.[ch]); do
		case " $* " in
		*" $file "*) ;;
		*) say "$file: includes <$pattern...>" ;;
		esac
	done
}

only libmilter/ filter/milter.c
only gmime/ filter/encoded.c filter/mailboxes.c filter/transfer.c
only magic filter/content.c
only archive filter/unpack_libarchive.c
only unicode/ rules/fold.c filter/url.c
only gumbo filter/html.c
only spf2/ filter/spf_libspf2.c
only lmdb rules/backend_lmdb.c filter/limits_file.c
only hiredis rules/redis.c
only cdb rules/backend_cdb.c
only ares filter/dns_ares.c
only 'hs(/|\.h|_)' rules/pattern.c rules/pattern_set.c
only pcre2 rules/pattern.c rules/pattern_impl.h rules/pattern_set.c
# The rules decide and say so to their caller; they log nothing.
for file in $(grep -lE '^# *include <(syslog|libmilter|spf2|gmime)' \
    include/*.h rules/*.[ch]); do
	say "$file: knows more than the rules should"
done

exit $bad
