#!/bin/sh
# Each policy of tests/cases passes its own tests, with the pattern prefilter
# and without, and printed back it is a policy that passes them, too.
srcdir=${srcdir:-.}
vaglio=${VAGLIO:-./vaglio}
failed=0 passed=0
copy=$(mktemp -d) || exit 99
trap 'rm -rf "$copy"' EXIT
cp -R "$srcdir/tests/cases/." "$copy" && chmod -R u+w "$copy" || exit 99

check() {
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s\n%s\n' "FAILED: $*" "$out"
	fi
}

for policy in "$copy"/*.conf; do
	check "$vaglio" test -c "$policy"
	check env VAGLIO_PREFILTER=no "$vaglio" test -c "$policy"
	# beside the original, for its files are relative to it
	again=${policy%.conf}.again
	check "$vaglio" dump -c "$policy"
	"$vaglio" dump -c "$policy" >"$again" 2>/dev/null
	check "$vaglio" check -c "$again"
	check "$vaglio" test -c "$again"
	"$vaglio" dump -c "$again" >"$again.again" 2>/dev/null
	check cmp "$again" "$again.again"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
