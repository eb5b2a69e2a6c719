/*
 * facts_answer.h - what the facts_*.c share: answers and values made in the
 * memory of the message, and the getters.
 */
#ifndef FACTS_ANSWER_H
#define FACTS_ANSWER_H

#include "facts.h"
#include "told.h"

/* ---- facts_answer.c: answers ---- */

extern const struct fact facts_later, facts_absent;

/* FACT_FAILED for want of memory: the session must answer for it. */
const struct fact *facts_no_memory(struct told *t);

/* FACT_FAILED. why stays; its p NULL: there was no memory to say it. */
const struct fact *facts_failed(struct told *t, struct span why);

/* n values, which stay; none is FACT_ABSENT. */
const struct fact *facts_of(struct told *t, const struct value *values,
                            size_t n);

/* One value; its text not there means that there was no memory for it. */
const struct fact *facts_one(struct told *t, struct value v);
const struct fact *facts_number(struct told *t, size_t number);

/* Values in valid UTF-8; a name is made canonical. text.p NULL: no memory. */
struct value facts_text(struct told *t, struct span text);
struct value facts_name(struct told *t, struct span name);
struct value facts_ip(struct told *t, const struct ip *ip);

/* ---- getters: of the table of subjects, get_ and the getter's name ---- */

/* The answer to ask; rcpt as with facts_ask. */
typedef const struct fact *facts_getter(struct told *t, const struct ask *ask,
                                        size_t rcpt);

facts_getter get_macro, get_client, get_client_name, get_client_ptr,
	get_client_port, get_helo;                 /* facts_connection.c */
facts_getter get_tls_name, get_tls_verified;       /* facts_tls.c */
facts_getter get_spf;                              /* facts_spf.c */
facts_getter get_sender, get_sender_param, get_rcpt, get_rcpt_param,
	get_rcpt_count;                            /* facts_envelope.c */
facts_getter get_header, get_header_count;         /* facts_header.c */
facts_getter get_address, get_address_count;       /* facts_mailboxes.c */
facts_getter get_raw_body, get_mime, get_size;     /* facts_body.c */

/* ---- facts_origin.c ---- */

/* Is it to be read in the header whom SPF judges, and that is not here yet? */
bool facts_origin_waits(const struct told *t);

/* Whom SPF judges, found once. NULL: no memory. */
const struct told_origin *facts_origin(struct told *t);

/* ---- facts_header.c ---- */

/* The name of the fields that are asked about, if it is no pattern. */
struct span facts_field_name(const struct ask *ask);

#endif
