/* pattern_impl.h - a pattern from the inside, for pattern*.c alone. */
#ifndef PATTERN_IMPL_H
#define PATTERN_IMPL_H

#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "pattern.h"

struct pattern {
	pcre2_code *code;
	_Atomic(pcre2_code *) *watched; /* for long texts, made when needed */
	struct span text;
	uint32_t asked;   /* options that flags and type ask for */
	uint32_t options; /* as compiled, verbs in the pattern included */
	uint32_t groups;
	uint32_t newline;
};

#endif
