/*
 * defect.h - the faults that the MIME structure of a message may have, by
 * the names under which a policy asks for them (mime.defect).
 */
#ifndef DEFECT_H
#define DEFECT_H

#define DEFECT_TABLE(ROW) \
ROW(DUPLICATE_TYPE, "duplicate-content-type") \
ROW(BAD_TYPE, "bad-content-type") \
ROW(DUPLICATE_ENCODING, "duplicate-encoding") \
ROW(UNKNOWN_ENCODING, "unknown-encoding") \
ROW(ENCODED_MULTIPART, "encoded-multipart") \
ROW(DUPLICATE_PARAMETER, "duplicate-parameter") \
ROW(MISSING_BOUNDARY, "missing-boundary") \
ROW(EMPTY_BOUNDARY, "empty-boundary") \
ROW(REPEATED_BOUNDARY, "repeated-boundary") \
ROW(PREFIX_BOUNDARY, "prefix-boundary") \
ROW(FALSE_BOUNDARY, "false-boundary") \
ROW(UNTERMINATED, "unterminated") \
ROW(PREAMBLE_TEXT, "preamble-text") \
ROW(EPILOGUE_TEXT, "epilogue-text") \
ROW(PART_AFTER_END, "part-after-end") \
ROW(HEADER_WITHOUT_COLON, "header-without-colon") \
ROW(BLANK_BEFORE_COLON, "blank-before-colon") \
ROW(BAD_BASE64, "bad-base64") \
ROW(BAD_QUOTED_PRINTABLE, "bad-quoted-printable") \
ROW(UNKNOWN_CHARSET, "unknown-charset") \
ROW(RAW_8BIT, "raw-8bit") \
ROW(BARE_CR, "bare-cr") \
ROW(NUL, "nul") \
ROW(RTL_OVERRIDE, "rtl-override") \
ROW(ZERO_WIDTH, "zero-width") \
ROW(TRAILING_DOT, "trailing-dot") \
ROW(UUENCODED, "uuencoded") \
ROW(ENCRYPTED_ARCHIVE, "encrypted-archive") \
ROW(BAD_ARCHIVE, "bad-archive") \
ROW(TOO_MUCH_ARCHIVE, "too-much-archive") \
ROW(TOO_DEEP, "too-deep") \
ROW(TOO_MANY_PARTS, "too-many-parts") \
ROW(TOO_MANY_PARAMETERS, "too-many-parameters") \
ROW(TOO_MUCH_TEXT, "too-much-text")

enum defect {
#define ROW(id, name) DEFECT_##id,
	DEFECT_TABLE(ROW)
#undef ROW
	DEFECTS
};

/* All the names with a blank behind each. */
#define DEFECT_WORD(id, name) name " "
#define DEFECT_WORDS DEFECT_TABLE(DEFECT_WORD)

#endif
