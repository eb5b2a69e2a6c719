#!/bin/sh
# The policies that come with vaglio load, and their own tests pass; they do
# with other networks, lists and numbers in the lines that are to be edited,
# and with another domain throughout, put there as README.md says.
bad=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
cp -R "${srcdir:-.}"/contrib/policies/. "$folder"
renamed=$folder/renamed
mkdir "$renamed"
cp -R "${srcdir:-.}"/contrib/policies/. "$renamed"
sed -i 's/example\(\\*\)\.org/roastery\1.example/g' "$renamed"/*
echo 'Another text' >"$renamed/footer"
grep -i 'example[\\]*\.org' "$renamed"/* && bad=1
for policy in "$renamed"/*.conf; do
	./vaglio check -c "$policy" || bad=1
done
for policy in "${srcdir:-.}"/contrib/policies/*.conf; do
	./vaglio check -c "$policy" || bad=1
	edited=$folder/edited-${policy##*/}
	sed -e '/^# ---- edit from here/,/^# ---- to here/{
		/^#/b
		s/10\.0\.0\.0\/8/172.20.0.0\/16/; s/2001:db8:1:/2001:db8:77:/
		s/203\.0\.113\.16\/28/192.0.2.128\/25/; s/spamhaus/example/
		s/127\.0\.0\.[0-9/]* /127.0.0.2 /; s/[0-9]* recipients/7 recipients/
		s/milter\.sock/other.sock/; s/ "+"/ "-"/
	}' "$policy" >"$edited"
	# One without such lines stays what it is.
	if grep -q '^# ---- edit from here' "$policy"; then
		cmp -s "$policy" "$edited" && echo "$policy: not edited" && bad=1
		./vaglio check -c "$edited" || bad=1
	fi
done
exit $bad
