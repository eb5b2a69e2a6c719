#!/bin/sh
# The policies that come with vaglio load, and their own tests pass.
bad=0
for policy in "${srcdir:-.}"/contrib/policies/*.conf; do
	./vaglio check -c "$policy" || bad=1
done
exit $bad
