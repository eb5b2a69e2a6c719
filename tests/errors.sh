#!/bin/sh
# tests/errors/NAME.conf is a wrong policy, NAME.err the exact text of what is
# said about it. $VAGLIO is the program that is asked: `$VAGLIO check -c FILE`.
# A case that has NAME.conf.in in place of NAME.conf holds bytes that an
# editor would spoil: it is a format for printf.
# With UPDATE=1 the .err files are written anew, to be read by a person.
: "${VAGLIO:=$PWD/vaglio}"
folder=$(cd "${srcdir:-.}/tests/errors" && pwd) || exit 99
work=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cp -R "$folder/." "$work" && chmod -R u+w "$work" && cd "$work" || exit 99
for f in *.conf.in; do
	# shellcheck disable=SC2059 # the file is the format
	printf "$(cat "$f")" >"${f%.in}" || exit 99
done
passed=0 failed=0
for f in *.conf; do
	name=${f%.conf}
	"$VAGLIO" check -c "$f" >"$name.out" 2>"$name.got"
	status=$?
	if [ -n "$UPDATE" ]; then
		cp "$name.got" "$folder/$name.err" || exit 99
		cp "$name.got" "$name.err"
	fi
	wanted=0 # warnings alone; an error gives EX_CONFIG
	grep -a '^[^ ][^ ]*: ' "$name.err" | grep -aqv ': warning: ' && wanted=78
	if cmp -s "$name.err" "$name.got" && [ "$status" = "$wanted" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL: $name (status $status, wanted $wanted)"
		diff -u "$name.err" "$name.got"
	fi
done
echo "errors: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
