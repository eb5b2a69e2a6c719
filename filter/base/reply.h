/* reply.h - a verdict's text as an SMTP reply (RFC 5321 4.2, RFC 2034). */
#ifndef REPLY_H
#define REPLY_H

#include "arena.h"

struct reply {
	char code[4], xcode[12];
	size_t n;
	const char **lines;  /* ASCII (UTF-8 if utf8), no controls, cut at
	                        CAPS_REPLY_LINE with "...", at most
	                        CAPS_REPLY_LINES; % not yet doubled */
};

/* false: no memory. */
bool reply_make(struct arena *a, struct span code, struct span xcode,
                struct span text, bool utf8, struct reply *out);

#endif
