/*
 * Messages that are meant to cost much: in time, in memory, in depth. They
 * are read on a thread with the small stack that a filter's threads may have.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "caps.h"
#include "check.h"
#include "mime_facts.h"

/* ---- a message of repeated pieces ---- */

struct text {
	char *p;
	size_t n, room;
};

static void
add(struct text *t, const char *s, size_t n)
{
	if (t->n + n > t->room) {
		t->room = (t->n + n) * 2;
		t->p = realloc(t->p, t->room);
		ck_assert_ptr_nonnull(t->p);
	}
	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void
add_times(struct text *t, const char *s, size_t times)
{
	while (times-- > 0)
		add(t, s, strlen(s));
}

/* ---- reading it ---- */

struct job {
	const char *type, *encoding;
	struct text body;
	struct arena *arena;
	struct mime *m;
	double seconds;
};

static void *
parse(void *of)
{
	struct job *j = of;
	struct mime_field fields[] = {
		{SPAN("Content-Type"), span_of(j->type)},
		{SPAN("Content-Transfer-Encoding"), span_of(j->encoding)},
	};
	struct mime_answer a;
	int id;

	j->m = mime_parse(j->arena, fields, 2,
		(struct span){j->body.p, j->body.n}, false);
	for (id = SUBJECT_BODY; j->m && id <= SUBJECT_MIME_DEFECT; id++)
		if (!mime_answer(j->m, (enum subject_id)id, &a))
			break;
	return NULL;
}

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
read_message(struct job *j)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (j->encoding == NULL)
		j->encoding = "7bit";
	j->arena = arena_new(CAPS_MESSAGE_BYTES);
	ck_assert_ptr_nonnull(j->arena);
	j->seconds = cpu();
	pthread_attr_init(&attr);
	ck_assert_int_eq(pthread_attr_setstacksize(&attr, 256 << 10), 0);
	ck_assert_int_eq(pthread_create(&thread, &attr, parse, j), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	j->seconds = cpu() - j->seconds;
	ck_assert_ptr_nonnull(j->m);
	ck_assert(!j->m->no_memory);
}

static struct mime_answer
ask(const struct job *j, enum subject_id id)
{
	struct mime_answer a;

	ck_assert(mime_answer(j->m, id, &a));
	return a;
}

static void
end(struct job *j)
{
	arena_free(j->arena);
	free(j->body.p);
}

/* What is past a limit can't be had; the defect says which. */
static void
past(const struct job *j, enum defect d)
{
	ck_assert(mime_has(j->m, d));
	ck_assert_ptr_nonnull(ask(j, SUBJECT_BODY).failed);
	ck_assert_ptr_nonnull(ask(j, SUBJECT_ATTACHMENT).failed);
	ck_assert_ptr_nonnull(ask(j, SUBJECT_PART_COUNT).failed);
	ck_assert_ptr_null(ask(j, SUBJECT_MIME_DEFECT).failed);
}

START_TEST(ten_thousand_multiparts_in_one_another)
{
	struct job j = {.type = "multipart/mixed; boundary=b"};

	add_times(&j.body, "--b\nContent-Type: multipart/mixed; boundary=b\n\n",
	          10000);
	read_message(&j);
	past(&j, DEFECT_TOO_DEEP);
	end(&j);
}
END_TEST

START_TEST(ten_thousand_messages_in_one_another)
{
	struct job j = {.type = "message/rfc822"};

	add_times(&j.body, "Content-Type: message/rfc822\n\n", 10000);
	read_message(&j);
	past(&j, DEFECT_TOO_DEEP);
	end(&j);
}
END_TEST

START_TEST(as_deep_as_is_allowed)
{
	struct job j = {.type = "message/rfc822"};

	add_times(&j.body, "Content-Type: message/rfc822\n\n",
	          CAPS_MIME_DEPTH - 1);
	add_times(&j.body, "Subject: x\n\ninnermost\n", 1);
	read_message(&j);
	ck_assert_uint_eq(ask(&j, SUBJECT_BODY).n, 1);
	ck_assert(span_is(ask(&j, SUBJECT_BODY).values[0].text,
	                  SPAN("innermost\n")));
	ck_assert_uint_eq(j.m->n_parts, CAPS_MIME_DEPTH + 1);
	end(&j);
}
END_TEST

START_TEST(a_hundred_thousand_parts)
{
	struct job j = {.type = "multipart/mixed; boundary=b"};

	add_times(&j.body, "--b\n\nx\n", 100000);
	read_message(&j);
	past(&j, DEFECT_TOO_MANY_PARTS);
	end(&j);
}
END_TEST

START_TEST(as_many_parts_as_are_allowed)
{
	struct job j = {.type = "multipart/mixed; boundary=b"};

	add_times(&j.body, "--b\n\nx\n", CAPS_MIME_PARTS - 1);
	add_times(&j.body, "--b--\n", 1);
	read_message(&j);
	ck_assert_uint_eq(ask(&j, SUBJECT_BODY).n, CAPS_MIME_PARTS - 1);
	ck_assert_uint_eq(ask(&j, SUBJECT_MIME_DEFECT).n, 0);
	end(&j);
}
END_TEST

START_TEST(a_hundred_thousand_fields_in_a_part)
{
	struct job j = {.type = "multipart/mixed; boundary=b"};

	add_times(&j.body, "--b\n", 1);
	add_times(&j.body, "Content-Disposition: x; filename=a.exe\n", 100000);
	add_times(&j.body, "\nx\n--b--\n", 1);
	read_message(&j);
	ck_assert_uint_eq(ask(&j, SUBJECT_ATTACHMENT_EXTENSION).n, 1);
	end(&j);
}
END_TEST

START_TEST(a_name_in_ten_thousand_pieces)
{
	struct job j = {.type = "multipart/mixed; boundary=b"};
	char piece[40];
	int i;

	add_times(&j.body, "--b\nContent-Disposition: x", 1);
	for (i = 0; i < 10000; i++) {
		snprintf(piece, sizeof(piece), "; filename*%d=x", i);
		add_times(&j.body, piece, 1);
	}
	add_times(&j.body, "\n\nx\n--b--\n", 1);
	read_message(&j);
	past(&j, DEFECT_TOO_MANY_PARAMETERS);
	end(&j);
}
END_TEST

START_TEST(a_field_of_a_megabyte)
{
	struct job j = {.type = "multipart/mixed; boundary=b"};

	add_times(&j.body, "--b\nContent-Disposition: x; filename=", 1);
	add_times(&j.body, "xxxxxxxxxxxxxxxx", 1 << 16);
	add_times(&j.body, "\n\nx\n--b--\n", 1);
	read_message(&j);
	past(&j, DEFECT_TOO_MANY_PARAMETERS);
	end(&j);
}
END_TEST

START_TEST(one_line_of_fifty_megabytes)
{
	struct job j = {.type = "application/x", .encoding = "base64"};

	add_times(&j.body, "QUJDQUJDQUJDQUJD", 50 << 16);
	read_message(&j);
	ck_assert_double_eq(ask(&j, SUBJECT_ATTACHMENT_SIZE).values[0].number,
	                    12.0 * (50 << 16));
	ck_assert_uint_eq(ask(&j, SUBJECT_MIME_DEFECT).n, 0);
	end(&j);
}
END_TEST

START_TEST(more_text_than_is_decoded)
{
	struct job j = {.type = "text/plain", .encoding = "base64"};
	struct mime_answer a;

	add_times(&j.body, "QUJDQUJDQUJDQUJD", 50 << 16);
	read_message(&j);
	ck_assert_ptr_nonnull(ask(&j, SUBJECT_BODY).failed);
	a = ask(&j, SUBJECT_MIME_DEFECT);
	ck_assert_uint_eq(a.n, 1);
	ck_assert(span_is(a.values[0].text, SPAN("too-much-text")));
	/* and what needs no decoding is there */
	ck_assert_ptr_null(ask(&j, SUBJECT_PART_TYPE).failed);
	end(&j);
}
END_TEST

/* Lines that nearly are each of a hundred long boundaries. */
/* "MZ" in uuencode, behind a text of so many bytes. */
static void
find_a_file_in(const char *encoding, const char *line, size_t times)
{
	struct job j = {.type = "text/plain", .encoding = encoding};
	struct mime_answer a;

	add_times(&j.body, line, times);
	add_times(&j.body, "begin 644 evil.exe\r\n\"35H\r\n`\r\nend\r\n", 1);
	add_times(&j.body, line, 10);
	read_message(&j);
	a = ask(&j, SUBJECT_ATTACHMENT_EXTENSION);
	ck_assert_ptr_null(a.failed);
	ck_assert_uint_eq(a.n, 1);
	ck_assert(span_is(a.values[0].text, SPAN("exe")));
	a = ask(&j, SUBJECT_ATTACHMENT_SIZE);
	ck_assert_uint_eq(a.n, 1);
	ck_assert(span_is(a.values[0].text, SPAN("2")));
	ck_assert_ptr_nonnull(ask(&j, SUBJECT_BODY).failed);
	end(&j);
}

START_TEST(files_are_found_in_more_text_than_is_kept)
{
	find_a_file_in("8bit", "A line of a text.\r\n", 1500000);
	find_a_file_in("quoted-printable", "A line =3D of a text.\r\n",
		1500000);
}
END_TEST

START_TEST(boundaries_that_begin_alike)
{
	struct job j = {.type = "multipart/mixed; boundary=b"};
	struct text x = {NULL, 0, 0};
	char number[30];
	int i;

	add_times(&x, "xxxxxxxxxxxxxxxx", 50);
	add_times(&j.body, "--b\n", 1);
	for (i = 0; i < CAPS_MIME_DEPTH - 1; i++) {
		add_times(&j.body, "Content-Type: multipart/mixed; boundary=", 1);
		add(&j.body, x.p, x.n);
		snprintf(number, sizeof(number), "%d-\n\n--", i);
		add_times(&j.body, number, 1);
		add(&j.body, x.p, x.n);
		snprintf(number, sizeof(number), "%d-\n", i);
		add_times(&j.body, number, 1);
	}
	add_times(&j.body, "\n", 1);
	for (i = 0; i < 10000; i++) {
		add_times(&j.body, "--", 1);
		add(&j.body, x.p, x.n);
		add_times(&j.body, "\n", 1);
	}
	read_message(&j);
	ck_assert_uint_eq(j.m->n_parts, CAPS_MIME_DEPTH + 1);
	free(x.p);
	end(&j);
}
END_TEST

/* Twice as much costs about twice as much, not four times. */
static double
seconds_of(const char *piece, size_t times)
{
	struct job j = {.type = "multipart/mixed; boundary=b"};
	double seconds;

	add_times(&j.body, piece, times);
	read_message(&j);
	seconds = j.seconds;
	end(&j);
	return seconds;
}

START_TEST(time_grows_with_the_message)
{
	static const char *const pieces[] = {
		"--b\n\ntext\n", "--bx\n\ntext\n", "--b--\ntext\n", "no field\n",
		"--\n", "-", "--b\nContent-Type: x/y; name=a.b\n x\n\n",
		"--b\nno field\n\n",
	};
	size_t i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		double one = seconds_of(pieces[i], 100000),
		       eight = seconds_of(pieces[i], 800000);

		ck_assert_msg(eight < 24 * one + 0.2, "%s: %f, then %f",
		              pieces[i], one, eight);
	}
}
END_TEST

START_TEST(each_defect_has_a_bit_and_a_name)
{
	struct mime m = {.defects = 0};
	enum defect d;

	ck_assert_int_lt(DEFECTS, 64);
	for (d = 0; d < DEFECTS; d++) {
		ck_assert(!mime_has(&m, d));
		mime_defect(&m, d);
		ck_assert(mime_has(&m, d));
		ck_assert_ptr_nonnull(strstr(DEFECT_WORDS, mime_defect_name(d)));
	}
}
END_TEST

CHECK_MAIN("mime", ten_thousand_multiparts_in_one_another,
	ten_thousand_messages_in_one_another, as_deep_as_is_allowed,
	a_hundred_thousand_parts, as_many_parts_as_are_allowed,
	a_hundred_thousand_fields_in_a_part, a_name_in_ten_thousand_pieces,
	a_field_of_a_megabyte, one_line_of_fifty_megabytes,
	more_text_than_is_decoded, files_are_found_in_more_text_than_is_kept,
	boundaries_that_begin_alike,
	time_grows_with_the_message, each_defect_has_a_bit_and_a_name)
