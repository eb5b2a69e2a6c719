#!/bin/sh
# The SPF suites, if configure --with-spf-suite=DIR named their folder.
# RFC 7208's must give the result that the RFC prefers; RFC 4408's allows
# some that the later RFC has settled, so any of those listed is taken.
set -eu
if test "${SPF_SUITE:-no}" = no; then
	echo "no --with-spf-suite=DIR was given (contrib/spf-suite fetches it)"
	exit 77
fi
tests/spf-suite -p "$SPF_SUITE/rfc7208-tests.yml"
tests/spf-suite "$SPF_SUITE/rfc4408-tests.yml"
