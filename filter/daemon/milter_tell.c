/*
 * milter_tell.c - a reply and changes, said so that Postfix and Sendmail
 * take them alike.
 */
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "milter_impl.h"

/*
 * The text of a refusal. Percent signs are doubled: both MTAs read the text
 * as a format. A code of the other class would be dropped silently with its
 * text; then the MTA's own text stands, and the verdict all the same.
 */
void
milter_set_reply(SMFICTX *ctx, enum answer_kind kind, const char *code,
          const char *xcode, const char *const *lines, size_t n)
{
	static char nothing[] = "";
	char *text[CAPS_REPLY_LINES] = {NULL};
	char class = kind == ANSWER_REJECT ? '5' : '4';
	const char *x = xcode[0] == class ? xcode : NULL;
	size_t i;

	if (code[0] != class)
		return;
	if (n > CAPS_REPLY_LINES)
		n = CAPS_REPLY_LINES;
	for (i = 0; i < n; i++) {
		const char *from = lines[i];
		char *to = malloc(2 * strlen(from) + 1);

		if (to == NULL)
			break;
		text[i] = to;
		do {
			if (*from == '%')
				*to++ = '%';
			*to++ = *from;
		} while (*from++ != '\0');
	}
	/* One line or none goes without libmilter's invented X.Y.Z. */
	if (n <= 1)
		smfi_setreply(ctx, (char *)(size_t)code, (char *)(size_t)x,
		              text[0] != NULL ? text[0] : nothing);
	else
		smfi_setmlreply(ctx, code, x, text[0], text[1], text[2],
			text[3], text[4], text[5], text[6], text[7], text[8],
			text[9], text[10], text[11], text[12], text[13],
			text[14], text[15], text[16], text[17], text[18],
			text[19], text[20], text[21], text[22], text[23],
			text[24], text[25], text[26], text[27], text[28],
			text[29], text[30], text[31], (char *)NULL);
	for (i = 0; i < n; i++)
		free(text[i]);
}

/* libmilter takes no const, and changes nothing. */
static char *
text_of(struct span s)
{
	return (char *)(size_t)s.p;
}

/* The null sender, and a reason that says nothing, can't be sent empty. */
static char *
text_or(struct span s, char *other)
{
	return s.p == NULL || s.n == 0 ? other : text_of(s);
}

int
milter_change(SMFICTX *ctx, const struct change *ch)
{
	static char null_sender[] = "<>", held[] = "held by policy";

	switch (ch->kind) {
	case CHANGE_HEADER:
		return smfi_chgheader(ctx, text_of(ch->name), (int)ch->index,
		                      text_of(ch->value));
	case INSERT_HEADER:
		return smfi_insheader(ctx, (int)ch->index, text_of(ch->name),
		                      text_of(ch->value));
	case ADD_HEADER:
		if (ch->index != 0)
			return smfi_insheader(ctx, (int)ch->index,
			                      text_of(ch->name),
			                      text_of(ch->value));
		return smfi_addheader(ctx, text_of(ch->name),
		                      text_of(ch->value));
	case CHANGE_SENDER:
		return smfi_chgfrom(ctx, text_or(ch->value, null_sender),
		                    NULL);
	case ADD_RCPT:
		return smfi_addrcpt(ctx, text_of(ch->value));
	case REMOVE_RCPT:
		return smfi_delrcpt(ctx, text_of(ch->value));
	case HOLD:
		return smfi_quarantine(ctx, text_or(ch->value, held));
	case REPLACE_BODY:
		return smfi_replacebody(ctx,
			(unsigned char *)text_of(ch->value),
			(int)ch->value.n);
	}
	return MI_FAILURE;
}

const char *
milter_change_name(enum change_kind kind)
{
	static const char *const names[] = {
		[CHANGE_HEADER] = "change a header field",
		[INSERT_HEADER] = "insert a header field",
		[ADD_HEADER] = "add a header field",
		[CHANGE_SENDER] = "change the sender",
		[ADD_RCPT] = "add a recipient",
		[REMOVE_RCPT] = "remove a recipient",
		[HOLD] = "hold the message",
		[REPLACE_BODY] = "change the body",
	};

	return names[kind];
}
