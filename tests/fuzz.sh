#!/bin/sh
# Each fuzz target for some seconds: ${FUZZ_SECONDS:-3}, from the seed
# ${FUZZ_SEED:-1}. What failed is said with what repeats it.
errors=${srcdir:-.}/tests/errors
tests/fuzz_parse -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"$errors"/*.conf "$errors"/inc/*.part "${srcdir:-.}"/tests/parse/*.conf || exit 1
spf=${srcdir:-.}/tests/spf
tests/fuzz_spf -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"$spf"/mixed.txt "$spf"/six.txt "$spf"/explain.txt "$spf"/limits.txt ||
	exit 1
tests/fuzz_dns -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"$spf"/zone.txt "$spf"/wire-*.bin || exit 1
tests/fuzz_address -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/address/* || exit 1
tests/fuzz_message -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/message/* || exit 1
tests/fuzz_table -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/table/*.txt || exit 1
tests/fuzz_session -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/session/*.txt || exit 1
tests/fuzz_html -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/mime/html-*.eml \
	"${srcdir:-.}"/tests/mime/link-*.eml || exit 1
tests/fuzz_mime -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/mime/*.eml || exit 1
tests/fuzz_archive -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/archive/* || exit 1
tests/fuzz_change -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/mime/*.eml || exit 1
tests/fuzz_detach -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"${srcdir:-.}"/tests/mime/*.eml "${srcdir:-.}"/tests/cases/attach*.eml || exit 1
