#!/bin/sh
# Each message of tests/mime, and what the subjects of its parts must say.
srcdir=${srcdir:-.}
failed=0 passed=0
LC_ALL=C # as a service has it
export LC_ALL
got=$(mktemp) || exit 99
trap 'rm -f "$got"' EXIT

for message in "$srcdir"/tests/mime/*.eml; do
	want=${message%.eml}.want
	if tests/mime_tool "$message" >"$got" 2>&1 && diff "$want" "$got"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $message"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
