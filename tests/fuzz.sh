#!/bin/sh
# Each fuzz target for some seconds: ${FUZZ_SECONDS:-3}, from the seed
# ${FUZZ_SEED:-1}. What failed is said with what repeats it.
errors=${srcdir:-.}/tests/errors
tests/fuzz_parse -seconds "${FUZZ_SECONDS:-3}" -seed "${FUZZ_SEED:-1}" \
	"$errors"/*.conf "$errors"/inc/*.part "${srcdir:-.}"/tests/parse/*.conf
