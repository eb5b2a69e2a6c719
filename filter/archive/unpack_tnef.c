/*
 * unpack_tnef.c - what Outlook puts into winmail.dat (MS-OXTNEF), as far as
 * files go: their names and contents, and those in attached messages.
 *
 * A reader of our own, for it is little that is read: libytnef, which Debian
 * has, leaks on broken input, reads nothing above 50 MB, and has had a row of
 * CVEs (2017 and 2021).
 */
#include <string.h>

#include "caps.h"
#include "unpack.h"

/* ---- numbers and pieces; what is cut short ends ---- */

struct input {
	struct span left;
	bool cut;
};

static struct span
take(struct input *in, size_t n)
{
	struct span s = {in->left.p, n};

	if (n > in->left.n) {
		in->cut = true;
		s.n = in->left.n;
	}
	in->left.p += s.n;
	in->left.n -= s.n;
	return s;
}

static uint32_t
number(struct input *in, size_t bytes)
{
	struct span s = take(in, bytes);
	uint32_t n = 0;
	size_t i;

	if (s.n < bytes)
		return 0;
	for (i = 0; i < bytes; i++)
		n |= (uint32_t)(unsigned char)s.p[i] << (8 * i);
	return n;
}

/* ---- attributes (2.1.3.1) ---- */

#define SIGNATURE "\x78\x9f\x3e\x22"
#define SIGNATURE_BYTES 4

enum {
	ATTACH_DATA = 0x0006800f,
	ATTACH_TITLE = 0x00018010,
	ATTACH_RENDDATA = 0x00069002, /* a new attachment begins */
	ATTACH_PROPS = 0x00069005,    /* MAPI properties */
};

/* ---- MAPI properties (2.1.3.4; MS-OXCDATA 2.11.1) ---- */

enum {
	TYPE_OBJECT = 0x0d,
	TYPE_STRING8 = 0x1e,
	TYPE_UNICODE = 0x1f,
	TYPE_BINARY = 0x102,
	TYPE_MANY = 0x1000, /* several values */
};

enum {
	DISPLAY_NAME = 0x3001,
	ATTACH_DATA_BIN = 0x3701,
	ATTACH_FILENAME = 0x3704,
	ATTACH_LONG_FILENAME = 0x3707,
	ATTACH_TRANSPORT_NAME = 0x370c,
};

#define GUID_BYTES 16

struct attachment {
	struct unpack_file f;
	struct span content; /* p NULL: none yet */
	struct span message; /* in TNEF */
	bool any;
};

static bool
is_varied(unsigned type)
{
	return type == TYPE_OBJECT || type == TYPE_STRING8 ||
		type == TYPE_UNICODE || type == TYPE_BINARY;
}

/* Of one value; what is shorter is padded to four. */
static size_t
fixed_bytes(unsigned type)
{
	switch (type) {
	case 0x05: case 0x06: case 0x07: case 0x14: case 0x40:
		return 8;
	case 0x48:
		return GUID_BYTES;
	default:
		return 4;
	}
}

static struct span
without_nuls(struct span s)
{
	while (s.n > 0 && s.p[s.n - 1] == '\0')
		s.n--;
	return s;
}

static size_t
put_utf8(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (char)(0xe0 | c >> 12);
		p[1] = (char)(0x80 | (c >> 6 & 0x3f));
		p[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (char)(0xf0 | c >> 18);
	p[1] = (char)(0x80 | (c >> 12 & 0x3f));
	p[2] = (char)(0x80 | (c >> 6 & 0x3f));
	p[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* A name in UTF-16; half a pair is U+FFFD. */
static struct span
from_utf16(struct arena *a, struct span s)
{
	struct input in = {s, false};
	char *p = arena_alloc(a, s.n * 2 + 4);
	size_t n = 0;
	uint32_t c, low;

	if (p == NULL)
		return (struct span){NULL, 0};
	while (in.left.n >= 2) {
		c = number(&in, 2);
		if (c >= 0xd800 && c < 0xdc00 && in.left.n >= 2) {
			struct input ahead = in;

			low = number(&ahead, 2);
			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c & 0x3ff) << 10) +
					(low & 0x3ff);
				in = ahead;
			}
		}
		if (c >= 0xd800 && c < 0xe000)
			c = 0xfffd;
		n += put_utf8(p + n, c);
	}
	return without_nuls((struct span){p, n});
}

static void
add_name(const struct unpack_in *in, struct attachment *a, struct span name)
{
	size_t i;

	a->any = true;
	if (name.p == NULL) {
		in->u->faults |= UNPACK_TOO_MUCH;
		return;
	}
	for (i = 0; i < a->f.n_names; i++)
		if (span_is(a->f.names[i], name))
			return;
	if (name.n > 0 && a->f.n_names < UNPACK_NAMES)
		a->f.names[a->f.n_names++] = name;
}

static void
take_value(const struct unpack_in *in, struct attachment *a, unsigned id,
           unsigned type, struct span value)
{
	switch (id) {
	case DISPLAY_NAME:
	case ATTACH_FILENAME:
	case ATTACH_LONG_FILENAME:
	case ATTACH_TRANSPORT_NAME:
		if (type == TYPE_UNICODE)
			value = from_utf16(in->u->arena, value);
		add_name(in, a, without_nuls(value));
		break;
	case ATTACH_DATA_BIN:
		a->any = true;
		if (type == TYPE_OBJECT && value.n >= GUID_BYTES)
			a->message = (struct span){value.p + GUID_BYTES,
				value.n - GUID_BYTES};
		else
			a->content = value;
		break;
	default:
		break;
	}
}

/* 2.1.3.4.1: names of properties that have no number of their own. */
static void
pass_property_name(struct input *s)
{
	uint32_t n;

	take(s, GUID_BYTES);
	if (number(s, 4) == 0) {
		number(s, 4);
		return;
	}
	n = number(s, 4);
	take(s, n);
	take(s, (4 - n % 4) % 4);
}

static void
take_property(const struct unpack_in *in, struct attachment *a,
              struct input *s)
{
	unsigned type = number(s, 2), id = number(s, 2);
	uint32_t n = 1, bytes;
	struct span value;

	if (id >= 0x8000)
		pass_property_name(s);
	if (type & TYPE_MANY || is_varied(type))
		n = number(s, 4);
	for (; n > 0 && !s->cut; n--) {
		bytes = is_varied(type & ~(unsigned)TYPE_MANY) ?
			number(s, 4) :
			(uint32_t)fixed_bytes(type & ~(unsigned)TYPE_MANY);
		value = take(s, bytes);
		take(s, (4 - bytes % 4) % 4);
		if (!s->cut)
			take_value(in, a, id, type, value);
	}
}

static void
take_properties(const struct unpack_in *in, struct attachment *a,
                struct span value)
{
	struct input s = {value, false};
	uint32_t n = number(&s, 4);

	for (; n > 0 && !s.cut && unpack_ok(in->u); n--)
		take_property(in, a, &s);
	if (s.cut)
		in->u->faults |= UNPACK_BAD;
}

/* ---- attachments ---- */

static void
end_attachment(const struct unpack_in *in, struct attachment *a)
{
	struct unpack *u = in->u;
	struct span content = a->message.p != NULL ? a->message : a->content;
	bool wanted;

	if (a->any && unpack_ok(u)) {
		if (a->f.n_names == 0)
			a->f.names[a->f.n_names++] = SPAN("");
		a->f.holder = in->holder;
		a->f.sized = true;
		a->f.size = content.n;
		a->f.begin = content;
		if (content.n > UNPACK_BEGIN)
			a->f.begin.n = UNPACK_BEGIN;
		wanted = content.p != NULL && unpack_wanted(u->arena,
			a->f.names, a->f.n_names, a->f.begin);
		if (!wanted)
			content.p = NULL;
		unpack_tell(in, &a->f, content);
	}
	*a = (struct attachment){.any = false};
}

static void
take_attribute(const struct unpack_in *in, struct attachment *a, uint32_t id,
               struct span value)
{
	switch (id) {
	case ATTACH_RENDDATA:
		end_attachment(in, a);
		a->any = true;
		break;
	case ATTACH_TITLE:
		add_name(in, a, without_nuls(value));
		break;
	case ATTACH_DATA:
		a->any = true;
		a->content = value;
		break;
	case ATTACH_PROPS:
		take_properties(in, a, value);
		break;
	default:
		break;
	}
}

bool
unpack_is_tnef(struct span bytes)
{
	return bytes.n >= SIGNATURE_BYTES &&
		memcmp(bytes.p, SIGNATURE, SIGNATURE_BYTES) == 0;
}

/*
 * tnef := signature key { level:1 id:4 length:4 data checksum:2 }
 */
void
unpack_tnef(const struct unpack_in *in, struct span bytes)
{
	struct input s = {bytes, false};
	struct attachment a = {.any = false};
	struct span value;
	uint32_t id, n;

	take(&s, SIGNATURE_BYTES + 2);
	while (s.left.n > 0 && unpack_ok(in->u)) {
		number(&s, 1);
		id = number(&s, 4);
		n = number(&s, 4);
		value = take(&s, n);
		if (s.cut && value.n == 0)
			break;
		take_attribute(in, &a, id, value);
		take(&s, 2);
	}
	if (s.cut)
		in->u->faults |= UNPACK_BAD;
	end_attachment(in, &a);
}
