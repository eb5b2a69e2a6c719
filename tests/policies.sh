#!/bin/sh
# The policies that come with vaglio load without a warning, and their own
# tests pass.
bad=0
for policy in "${srcdir:-.}"/contrib/policies/*.conf; do
	said=$(./vaglio check -c "$policy" 2>&1) && test -z "$said" && continue
	printf '%s:\n%s\n' "$policy" "$said"
	bad=1
done
exit $bad
