/* stage.h - the stages of an SMTP transaction, in their order. */
#ifndef STAGE_H
#define STAGE_H

enum stage {
	STAGE_CONNECT,
	STAGE_HELO,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_HEADERS, /* the end of the header */
	STAGE_END,     /* the end of the message */
};
#define STAGES 7

/* "connect", "helo", "mail", "rcpt", "data", "headers", "end" */
const char *stage_name(enum stage s);

#endif
