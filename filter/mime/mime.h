/*
 * mime.h - the parts of a message (RFC 2045 to 2047, 2183, 2231), as the
 * mail readers of this world may show them.
 *
 * Readers differ where a message is broken, and that is where things are
 * hidden. So nothing is decided for one of them: a part has each type, name,
 * boundary and encoding that a reader may take for its own, text outside all
 * parts is text, too, and each fault is kept by name.
 */
#ifndef MIME_H
#define MIME_H

#include <stdint.h>

#include "arena.h"
#include "defect.h"
#include "html.h"
#include "url.h"

#define MIME_NONE ((size_t)-1)

struct mime_list {
	struct mime_list *next;
	struct span text;
};

enum mime_encoding {
	ENCODING_7BIT = 1, /* so it was said, or nothing was */
	ENCODING_8BIT = 2, /* or binary */
	ENCODING_BASE64 = 4,
	ENCODING_QP = 8,
	ENCODING_UNKNOWN = 16,
};
#define ENCODINGS_DECODED (ENCODING_BASE64 | ENCODING_QP)

struct mime_part {
	size_t parent;                /* MIME_NONE: the message itself */
	unsigned depth;
	struct span header;           /* its fields with their line ends, but
	                                 not the empty line; p NULL: the
	                                 message's own */
	struct span bytes;            /* as transferred */
	struct mime_list *types;      /* "text/plain": one at least */
	struct mime_list *boundaries; /* bytes */
	struct mime_list *charsets;
	struct mime_list *names;      /* valid UTF-8 */
	unsigned encodings;
	unsigned n_types, n_encodings; /* fields seen */
	bool multipart, message, attachment;
	bool text;                    /* some readers show it as such */
	bool flowed, delsp;           /* RFC 3676 4 */
	bool container;               /* what it holds are parts, encoded */
	bool plain;                   /* or are there as they stand */
	bool signature, file;         /* or may be a message: in an S/MIME
	                                 signature, or in a file *.eml */
	struct span encoded;          /* then: its bytes before that was undone */
	bool scanned;
	size_t size;                  /* decoded; once scanned */
};

/* A text as it was decoded: valid UTF-8. */
struct mime_text {
	size_t part;
	bool loose;                   /* not the part's own, but beside it */
	struct span text;
};

/* What a reader sees of one. */
struct mime_view {
	size_t part;
	struct span text;             /* as struct seen has it */
	struct html_url *urls;        /* of HTML */
	struct span base;             /* theirs; p NULL: none */
	bool again;                   /* of HTML that the view before is of */
};

/* Where a text leads. */
struct mime_link {
	size_t part;
	struct span text, host;       /* struct url's */
	bool bad;                     /* host */
};

/* Work that is done once. */
struct mime_done {
	bool done;
	const char *failed;           /* why; NULL */
};

/* Text outside all parts, or in a header that is none. */
struct mime_loose {
	size_t part;
	struct span bytes;
	bool body;                    /* behind its first line, the part's own
	                                 body to some */
};

/* A file in an archive, or in one that is in it; or in a text. */
struct mime_member {
	size_t part;                  /* the attachment, or text */
	size_t holder;                /* member that is its archive; MIME_NONE:
	                                 the attachment is */
	struct mime_list *names;      /* valid UTF-8 */
	bool sized;
	double size;
	struct span magic;            /* its type; p NULL: not known */
};

struct mime {
	struct arena *arena;
	struct span file;             /* the body, if it is one that is mapped:
	                                 what was read of it need not stay */
	struct mime_part *parts;      /* 0: the message itself */
	size_t n_parts;
	struct mime_loose *loose;
	size_t n_loose;
	uint64_t defects;             /* 1 << DEFECT_X */
	bool utf8;                    /* RFC 6532: UTF-8 in headers is fine */
	bool no_memory;
	const char *full;             /* the limit that was passed; NULL */
	size_t decoded;               /* bytes, for CAPS_MIME_TEXT */
	bool scanned;
	struct mime_text *texts;
	size_t n_texts;
	struct mime_done decoded_texts;
	struct mime_view *views;
	size_t n_views;
	struct mime_done made_views;
	struct mime_link *links;
	size_t n_links;
	struct mime_done made_links;
	int64_t html_left;            /* ns of CPU time, for HTML */
	struct mime_member *members;  /* once unpacked */
	size_t n_members;
	int unpacked;                 /* 2: their types are known, too */
	const char *archives_full;    /* why members are missing; NULL */
};

struct mime_field {
	struct span name, value;      /* folds and all */
};

/* ---- mime.c ---- */

/*
 * The parts of a message, whose bytes stay the caller's. Once a limit is
 * passed (full) they are not all there. NULL: no memory.
 */
struct mime *mime_parse(struct arena *a, const struct mime_field *fields,
                        size_t n, struct span body, bool utf8);

/* Notes a defect of the message; has it been? */
void mime_defect(struct mime *m, enum defect d);
bool mime_has(const struct mime *m, enum defect d);

/* As a policy has it: "bad-base64". */
const char *mime_defect_name(enum defect d);

/* A limit is passed, which the defect names. */
void mime_stop(struct mime *m, enum defect d, const char *why);

/* May work go on? */
bool mime_ok(const struct mime *m);

/* Adds text unless it is there (ASCII without case, if nocase). */
void mime_list_add(struct mime *m, struct mime_list **list, struct span text,
                   bool nocase);

/* ---- mime_head.c ---- */

/* What a field of its header says about a part. */
void mime_head_field(struct mime *m, size_t part, struct span name,
                     struct span value);

/* The header is over: what kind of part it is. */
void mime_head_end(struct mime *m, size_t part);

/* ---- mime_param.c ---- */

/* One way to read one parameter. */
struct mime_param {
	struct mime_param *next;
	struct span name;    /* lower case, without * and numbers */
	struct span value;   /* bytes */
	struct span charset; /* RFC 2231; p NULL: plain */
};

/*
 * Reads "type; name=value ..." (RFC 2045 5.1, 2183 2, 2231): *head is what
 * is before the first semicolon, without comments and blanks.
 */
struct mime_param *mime_params(struct mime *m, struct span value,
                               struct span *head);

/* ---- mime_name.c ---- */

/* A file name out of a parameter; its oddities are defects. */
void mime_name_add(struct mime *m, size_t part, const struct mime_param *p);

/* The name of a file that is in another: bytes. */
void mime_name_file(struct mime *m, struct mime_list **names,
                    struct span name);

/* ---- mime_decode.c ---- */

/*
 * The text of a part as one encoding and charset have it: valid UTF-8, lines
 * end in LF. p NULL: not mime_ok any more.
 */
struct span mime_text(struct mime *m, size_t part, enum mime_encoding e,
                      struct span charset);

/* The same of other bytes. */
struct span mime_text_of(struct mime *m, struct span bytes,
                         enum mime_encoding e, struct span charset);

/* Text that nothing is said of. */
struct span mime_loose_text(struct mime *m, struct span bytes);

/* The bytes that a transfer encoding holds. p NULL: not mime_ok. */
struct span mime_decode(struct mime *m, enum mime_encoding e,
                        struct span bytes);

/* The same, as it comes: nothing is kept, and no limit counts it. */
void mime_each_piece(struct mime *m, enum mime_encoding e, struct span bytes,
                     void (*take)(void *of, struct span piece), void *of);

/* At least the first max bytes that a part holds, if it has as many. */
struct span mime_begin(struct mime *m, size_t part, enum mime_encoding e,
                       size_t max);

/* Was read: if it is the file's, its pages may go. */
void mime_passed(const struct mime *m, struct span bytes);

/* Sizes, and the defects in contents: all parts, once. */
void mime_scan(struct mime *m);

/* ---- mime_charset.c ---- */

/* The charsets that a text part in an encoding may be in; "": none is said. */
struct mime_list *mime_charsets(struct mime *m, size_t part,
                                enum mime_encoding e);

/* ---- mime_cms.c ---- */

/* Does it begin like an S/MIME signature? */
bool mime_cms_is_signed(struct span begin);

/* What one signs, if that is in it; else p NULL. */
struct span mime_cms_content(struct mime *m, struct span bytes);

/* ---- mime_text.c ---- */

/* A media type, in lower case, whose text a reader shows as HTML? */
bool mime_type_is_html(struct span type);

/* Makes texts, or says why they can't be had. */
const char *mime_texts(struct mime *m);

/* Makes views, likewise. */
const char *mime_views(struct mime *m);

/* Does the work once; what stopped it, which is said, stops no other work. */
const char *mime_once(struct mime *m, struct mime_done *done,
                      void (*work)(struct mime *m));

/* ---- mime_link.c ---- */

/* Makes links, or says why they can't be had. */
const char *mime_links(struct mime *m);
/* ---- mime_archive.c ---- */

/* Members, once; with their types (or without, if that was before). */
void mime_unpack(struct mime *m, bool magic);

/* ---- mime_uu.c ---- */

/* Members for the files that are uuencoded in texts. */
void mime_uudecode(struct mime *m, bool magic);

#endif
