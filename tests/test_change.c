/*
 * Texts put into bodies, byte for byte: each test says what a header and a
 * body become.
 */
#include <string.h>

#include "change.h"
#include "check.h"
#include "markup.h"
#include "transfer.h"

static struct arena *
mem(void)
{
	static struct arena *a;

	if (a == NULL)
		a = arena_new(0);
	ck_assert_ptr_nonnull(a);
	return a;
}

/* Content-Type and the transfer encoding, or NULL; then the body. */
struct mail {
	const char *type, *encoding, *body;
};

struct outcome {
	struct edit e;
	const char *left_out;
	struct span type, encoding, version, body;
};

static void
add_field(struct message *m, const char *name, const char *value)
{
	if (value != NULL)
		ck_assert(message_add_field(m, span_of(name),
		                            span_of(value)));
}

static struct outcome
changed(struct mail mail, const struct effect *effect)
{
	struct message *m = message_new(mem());
	struct outcome o;

	ck_assert_ptr_nonnull(m);
	add_field(m, "Subject", "s");
	add_field(m, "Content-Type", mail.type);
	add_field(m, "Content-Transfer-Encoding", mail.encoding);
	edit_begin(&o.e, mem(), m, span_of(mail.body), false);
	ck_assert(change_body(&o.e, effect));
	o.left_out = edit_left_out(&o.e, effect);
	o.type = edit_field(&o.e, 0, SPAN("content-type"));
	o.encoding = edit_field(&o.e, 0, SPAN("content-transfer-encoding"));
	o.version = edit_field(&o.e, 0, SPAN("mime-version"));
	o.body = edit_result(&o.e);
	return o;
}

static struct effect
effect_of(enum effect_kind kind, const char *plain, const char *html)
{
	return (struct effect){.kind = kind, .value = span_of(plain),
	                       .html = span_of(html)};
}

#define APPEND(plain) effect_of(EFFECT_APPEND, plain, NULL)
#define PREPEND(plain) effect_of(EFFECT_PREPEND_BODY, plain, NULL)
#define REPLACE(plain) effect_of(EFFECT_REPLACE_BODY, plain, NULL)

static void
is(struct span got, const char *wanted)
{
	if (wanted == NULL)
		ck_assert_ptr_null(got.p);
	else
		ck_assert_msg(span_is(got, span_of(wanted)),
		              "%.*s\n, not\n%s", SPAN_ARG(got), wanted);
}

/* What becomes of a message that is a text, and of its two fields. */
static void
becomes(struct mail before, struct effect effect, struct mail after)
{
	struct outcome o = changed(before, &effect);

	ck_assert_msg(o.left_out == NULL, "%s", o.left_out);
	is(o.body, after.body);
	is(o.type, after.type);
	is(o.encoding, after.encoding);
}

static void
is_left_out(struct mail mail, struct effect effect, const char *why)
{
	struct outcome o = changed(mail, &effect);

	ck_assert_ptr_nonnull(o.left_out);
	ck_assert_str_eq(o.left_out, why);
	ck_assert(edit_is_same(&o.e));
	is(o.type, mail.type);
}

#define MAIL(...) ((struct mail){__VA_ARGS__})

/* ---- plain text ---- */

START_TEST(ascii_goes_behind_the_text_as_it_is)
{
	becomes(MAIL(NULL, NULL, "hello\r\n"), APPEND("one\ntwo"),
	        MAIL(NULL, NULL, "hello\r\none\r\ntwo\r\n"));
	becomes(MAIL(NULL, NULL, "hello"), APPEND("x"),
	        MAIL(NULL, NULL, "hello\r\nx"));
	becomes(MAIL(NULL, NULL, ""), APPEND("x\n"),
	        MAIL(NULL, NULL, "x\r\n"));
	becomes(MAIL("text/plain", "8bit", "a\r\n\r\n"), APPEND("x"),
	        MAIL("text/plain", "8bit", "a\r\n\r\nx\r\n"));
}
END_TEST

START_TEST(ascii_goes_before_the_text)
{
	becomes(MAIL(NULL, NULL, "hello\r\n"), PREPEND("one\ntwo"),
	        MAIL(NULL, NULL, "one\r\ntwo\r\nhello\r\n"));
	becomes(MAIL("text/plain; charset=utf-8", "8bit",
	             "\xef\xbb\xbfhello\r\n"), PREPEND("x"),
	        MAIL("text/plain; charset=utf-8", "8bit",
	             "\xef\xbb\xbfx\r\nhello\r\n"));
}
END_TEST

START_TEST(what_ascii_lacks_makes_it_utf8_in_quoted_printable)
{
	struct effect e = APPEND("Gr\xc3\xbc\xc3\x9f" "e");
	struct outcome o;

	becomes(MAIL(NULL, NULL, "a=b \r\n"), e,
	        MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "a=3Db=20\r\nGr=C3=BC=C3=9Fe\r\n"));
	becomes(MAIL("text/plain; format=fixed;\n charset=us-ascii; x=\"y;\"",
	             "7bit", "a\r\n"), e,
	        MAIL("text/plain; format=fixed;\n charset=utf-8; x=\"y;\"",
	             "quoted-printable", "a\r\nGr=C3=BC=C3=9Fe\r\n"));
	becomes(MAIL("text/plain; x=\"a; charset=b\" (charset=c) ;", NULL,
	             "a\r\n"), e,
	        MAIL("text/plain; x=\"a; charset=b\" (charset=c);\n"
	             " charset=utf-8", "quoted-printable",
	             "a\r\nGr=C3=BC=C3=9Fe\r\n"));
	/* what can't be read is text, and is to stay so */
	becomes(MAIL("textual", NULL, "a\r\n"), e,
	        MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "a\r\nGr=C3=BC=C3=9Fe\r\n"));
	o = changed(MAIL(NULL, NULL, "a\r\n"), &e);
	is(o.version, "1.0");
}
END_TEST

START_TEST(the_charset_is_kept_where_it_carries_the_text)
{
	struct effect e = APPEND("Gr\xc3\xbc\xc3\x9f" "e");

	becomes(MAIL("text/plain; charset=iso-8859-1", "8bit", "\xe4\r\n"), e,
	        MAIL("text/plain; charset=iso-8859-1", "8bit",
	             "\xe4\r\nGr\xfc\xdf" "e\r\n"));
	becomes(MAIL("text/plain; charset=iso-8859-1", "7bit", "a\r\n"), e,
	        MAIL("text/plain; charset=iso-8859-1", "quoted-printable",
	             "a\r\nGr=FC=DFe\r\n"));
	becomes(MAIL("text/plain; charset=koi8-r", "8bit", "\xc1\r\n"), e,
	        MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "=D0=B0\r\nGr=C3=BC=C3=9Fe\r\n"));
	becomes(MAIL("text/plain; charset=iso-2022-jp", "7bit",
	             "\033$B4A\033(B\r\n"), APPEND("\xe6\xbc\xa2"),
	        MAIL("text/plain; charset=iso-2022-jp", "7bit",
	             "\033$B4A\033(B\r\n\033$B4A\033(B\r\n"));
	becomes(MAIL("text/plain; charset=utf-16be", "base64", "AGEADQAK\r\n"),
	        e, MAIL("text/plain; charset=utf-8", "quoted-printable",
	                "a\r\nGr=C3=BC=C3=9Fe\r\n"));
}
END_TEST

START_TEST(euro_in_iso_8859_1_is_no_euro)
{
	/* though readers take that charset for windows-1252 */
	becomes(MAIL("text/plain; charset=iso-8859-1", "8bit", "a\r\n"),
	        APPEND("\xe2\x82\xac"),
	        MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "a\r\n=E2=82=AC\r\n"));
	becomes(MAIL("text/plain; charset=windows-1252", "8bit", "a\r\n"),
	        APPEND("\xe2\x82\xac"),
	        MAIL("text/plain; charset=windows-1252", "8bit",
	             "a\r\n\x80\r\n"));
}
END_TEST

START_TEST(base64_is_made_anew)
{
	becomes(MAIL("text/plain; charset=utf-8", "base64", "aGVsbG8NCg==\r\n"),
	        APPEND("x"), MAIL("text/plain; charset=utf-8", "base64",
	                          "aGVsbG8NCngNCg==\r\n"));
	becomes(MAIL("text/plain; charset=utf-8", "base64", "aGVsbG8K\r\n"),
	        APPEND("x"), MAIL("text/plain; charset=utf-8", "base64",
	                          "aGVsbG8KeAo=\r\n"));
}
END_TEST

START_TEST(quoted_printable_keeps_its_other_lines)
{
	becomes(MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "a=\r\nb  \r\n=e4=\r\n"), APPEND("x=y"),
	        MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "a=\r\nb  \r\n=e4\r\nx=3Dy=\r\n=\r\n"));
	becomes(MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "a=\r\nb\r\n"), PREPEND("--b\nFrom me\n."),
	        MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "=2D-b\r\n=46rom me\r\n=2E\r\na=\r\nb\r\n"));
	becomes(MAIL("text/html; charset=utf-8", "quoted-printable",
	             "<body>a =\r\nb </body>\r\n"), APPEND("x"),
	        MAIL("text/html; charset=utf-8", "quoted-printable",
	             "<body>a =\r\nb =\r\n\r\n<div>x</div>\r\n</body>\r\n"));
}
END_TEST

START_TEST(long_lines_are_folded_away)
{
	char text[2000], wanted[4096] = "a\r\n";
	size_t i, n = strlen(wanted);

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < sizeof(text) - 1; i++) {
		if (i > 0 && i % 75 == 0)
			n += (size_t)sprintf(wanted + n, "=\r\n");
		wanted[n++] = 'x';
	}
	strcpy(wanted + n, "\r\n");
	becomes(MAIL(NULL, NULL, "a\r\n"), APPEND(text),
	        MAIL(NULL, "quoted-printable", wanted));
	n = strlen("a\r\n");
	text[998] = '\0';
	sprintf(wanted + n, "%s\r\n", text);
	becomes(MAIL(NULL, NULL, "a\r\n"), APPEND(text),
	        MAIL(NULL, NULL, wanted));
}
END_TEST

START_TEST(flowed_text_gets_fixed_lines)
{
	const char *type = "text/plain; format=Flowed";

	becomes(MAIL(type, NULL, "flows \r\n"),
	        APPEND("-- \n> no quote\n indented  \nFrom here"),
	        MAIL(type, NULL, "flows \r\n\r\n-- \r\n > no quote\r\n"
	             "  indented\r\n From here\r\n"));
	becomes(MAIL(type, NULL, "ends\r\n-- \r\n"), APPEND("x "),
	        MAIL(type, NULL, "ends\r\n-- \r\nx\r\n"));
	becomes(MAIL(type, NULL, "flows \r\n\r\n"), APPEND("x"),
	        MAIL(type, NULL, "flows \r\n\r\nx\r\n"));
}
END_TEST

START_TEST(a_text_is_replaced)
{
	becomes(MAIL("text/plain; charset=koi8-r", "base64", "wQ==\r\n"),
	        REPLACE("gone"),
	        MAIL("text/plain; charset=koi8-r", "base64", "Z29uZQ0K\r\n"));
	becomes(MAIL("text/html", NULL, "<p>x</p>\r\n"), REPLACE("a<b"),
	        MAIL("text/html", NULL, "<div>a&lt;b</div>\r\n"));
	becomes(MAIL("text/plain", NULL, "x\r\n"), REPLACE(""),
	        MAIL("text/plain", NULL, ""));
	/* nobody has to read what goes */
	becomes(MAIL("text/plain", "base64", "eA=\r\n%%\r\n"), REPLACE("gone"),
	        MAIL("text/plain", "base64", "Z29uZQ0K\r\n"));
	becomes(MAIL("text/plain", "x-rot13", "uryyb\r\n"), REPLACE("gone"),
	        MAIL("text/plain;\n charset=utf-8", "quoted-printable",
	             "gone\r\n"));
}
END_TEST

START_TEST(what_else_is_shown_goes_with_the_text_that_is_replaced)
{
	const char *mixed = "multipart/mixed; boundary=b";
	const char *alternative = "multipart/alternative; boundary=b";

	becomes(MAIL(mixed, NULL, "--b\r\n\r\none\r\n--b\r\n"
	             "Content-Type: image/png\r\n\r\npng\r\n--b\r\n"
	             "Content-Disposition: inline\r\n\r\ntwo\r\n--b\r\n"
	             "Content-Type: text/plain; name=a\r\n\r\nfile\r\n"
	             "--b--\r\n"), REPLACE("gone"),
	        MAIL(mixed, NULL, "--b\r\n\r\ngone\r\n--b\r\n"
	             "Content-Type: image/png\r\n\r\npng\r\n--b\r\n"
	             "Content-Type: text/plain; name=a\r\n\r\nfile\r\n"
	             "--b--\r\n"));
	becomes(MAIL(alternative, NULL, "--b\r\n\r\none\r\n--b\r\n"
	             "Content-Type: text/calendar\r\n\r\nBEGIN\r\n"
	             "--b--\r\n"), REPLACE("gone"),
	        MAIL(alternative, NULL, "--b\r\n\r\ngone\r\n--b--\r\n"));
	/* the end of another part is not taken away */
	becomes(MAIL(mixed, NULL, "--b\r\n\r\none\r\n--b\r\n"
	             "Content-Type: image/png\r\n\r\npng\r\n--b\r\n\r\ntwo"),
	        REPLACE("gone"),
	        MAIL(mixed, NULL, "--b\r\n\r\ngone\r\n--b\r\n"
	             "Content-Type: image/png\r\n\r\npng\r\n--b\r\n\r\n"));
	/* a multipart is not left without a part */
	becomes(MAIL(mixed, NULL, "--b\r\n\r\none\r\n--b\r\nContent-Type: "
	             "multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ntwo"
	             "\r\n--c\r\n\r\nthree\r\n--c--\r\n--b--\r\n"),
	        REPLACE("gone"),
	        MAIL(mixed, NULL, "--b\r\n\r\ngone\r\n--b\r\nContent-Type: "
	             "multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n"
	             "\r\n--c--\r\n--b--\r\n"));
}
END_TEST

/* ---- HTML ---- */

static void
html_becomes(const char *before, struct effect e, const char *after)
{
	becomes(MAIL("text/html; charset=us-ascii", NULL, before), e,
	        MAIL("text/html; charset=us-ascii", NULL, after));
}

START_TEST(html_goes_before_the_end_of_the_body)
{
	html_becomes("<html><body>a</body></html>\r\n", APPEND("x"),
	             "<html><body>a\r\n<div>x</div>\r\n</body></html>\r\n");
	html_becomes("<html>a</HTML >\r\n", APPEND("x"),
	             "<html>a\r\n<div>x</div>\r\n</HTML >\r\n");
	html_becomes("a\r\n", APPEND("x"), "a\r\n<div>x</div>\r\n");
	html_becomes("<body>a</body>b</body ><!-- </body> -->\r\n",
	             APPEND("x"), "<body>a</body>b\r\n<div>x</div>\r\n"
	             "</body ><!-- </body> -->\r\n");
	html_becomes("a<script>'</body>'</script><p title='</body>'>b",
	             APPEND("x"), "a<script>'</body>'</script>"
	             "<p title='</body>'>b\r\n<div>x</div>");
	html_becomes("a<!-- </body>", APPEND("x"),
	             "a\r\n<div>x</div>\r\n<!-- </body>");
	html_becomes("a<style></body></style", APPEND("x"),
	             "a\r\n<div>x</div>\r\n<style></body></style");
	html_becomes("a<style></body>", APPEND("x"),
	             "a\r\n<div>x</div>\r\n<style></body>");
}
END_TEST

START_TEST(html_goes_before_all_that_is_shown)
{
	html_becomes("<html><head><title><body></title></head>"
	             "<body class='>'>a", PREPEND("x"),
	             "<html><head><title><body></title></head>"
	             "<body class='>'>\r\n<div>x</div>\r\na");
	html_becomes("<!doctype html>\r\n<p>a", PREPEND("x"),
	             "<!doctype html>\r\n<div>x</div>\r\n<p>a");
	html_becomes("<div style='display:none'><body>a", PREPEND("x"),
	             "<div>x</div>\r\n<div style='display:none'><body>a");
	html_becomes("<html>a<body>", PREPEND("x"),
	             "<html>\r\n<div>x</div>\r\na<body>");
}
END_TEST

START_TEST(what_the_charset_lacks_is_a_reference)
{
	html_becomes("<p>a\r\n", APPEND("\xc3\xbc \xe2\x82\xac\n<\"'&>"),
	             "<p>a\r\n<div>&#252; &#8364;<br>\r\n"
	             "&lt;&quot;&#39;&amp;&gt;</div>\r\n");
	becomes(MAIL("text/html; charset=iso-2022-jp", NULL,
	             "\033$B<O\033(B</body>\r\n"), APPEND("\xc3\xbc"),
	        MAIL("text/html; charset=iso-2022-jp", NULL,
	             "\033$B<O\033(B\r\n<div>&#252;</div>\r\n</body>\r\n"));
}
END_TEST

START_TEST(html_of_its_own_stands_as_it_is)
{
	struct effect e = effect_of(EFFECT_APPEND, "plain", "<p>html &auml;");
	struct effect only = effect_of(EFFECT_APPEND, NULL,
		"<style>p {}</style><p>One&nbsp;&amp; &#x41;<br>two</p>"
		"<ul><li>&eacute;</ul><!-- no -->");

	html_becomes("<p>a\r\n", e, "<p>a\r\n<p>html &auml;\r\n");
	becomes(MAIL(NULL, NULL, "a\r\n"), e,
	        MAIL(NULL, NULL, "a\r\nplain\r\n"));
	becomes(MAIL("text/plain; charset=utf-8", "8bit", "a\r\n"), only,
	        MAIL("text/plain; charset=utf-8", "8bit",
	             "a\r\nOne & A\r\ntwo\r\n\xc3\xa9\r\n"));
}
END_TEST

START_TEST(a_stranger_s_control_characters_are_blanks)
{
	becomes(MAIL(NULL, NULL, "a\r\n"), APPEND("x\r.\r\001\ty\x7f"),
	        MAIL(NULL, NULL, "a\r\nx .  \ty \r\n"));
}
END_TEST

/* ---- structure ---- */

#define ALTERNATIVE \
	"--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n" \
	"<p>html\r\n--b--\r\n"

START_TEST(each_alternative_gets_the_text)
{
	becomes(MAIL("multipart/alternative; boundary=b", NULL, ALTERNATIVE),
	        APPEND("x"),
	        MAIL("multipart/alternative; boundary=b", NULL,
	             "--b\r\n\r\nplain\r\nx\r\n--b\r\n"
	             "Content-Type: text/html\r\n\r\n<p>html\r\n"
	             "<div>x</div>\r\n--b--\r\n"));
}
END_TEST

/* Who sees that form sees the banner, too. */
START_TEST(html_of_other_names_is_html)
{
	const char *alternative = "multipart/alternative; boundary=b";

	becomes(MAIL(alternative, NULL, "--b\r\n\r\na\r\n--b\r\n"
	             "Content-Type: text/x-amp-html\r\n\r\n<body>b</body>\r\n"
	             "--b\r\nContent-Type: text/watch-html\r\n\r\n<p>c\r\n"
	             "--b--\r\n"), PREPEND("x"),
	        MAIL(alternative, NULL, "--b\r\n\r\nx\r\na\r\n--b\r\n"
	             "Content-Type: text/x-amp-html\r\n\r\n<body>\r\n"
	             "<div>x</div>\r\nb</body>\r\n--b\r\nContent-Type: "
	             "text/watch-html\r\n\r\n<div>x</div>\r\n<p>c\r\n"
	             "--b--\r\n"));
}
END_TEST

START_TEST(a_line_that_is_a_boundary_is_written_otherwise)
{
	becomes(MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\n\r\nplain\r\n--b--\r\n"), APPEND("--b--\nx"),
	        MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n"
	             "\r\nplain\r\n=2D-b--\r\nx\r\n--b--\r\n"));
	becomes(MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\n\r\nplain\r\n--b--\r\n"), APPEND("-- \n--c"),
	        MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\n\r\nplain\r\n-- \r\n--c\r\n--b--\r\n"));
}
END_TEST

START_TEST(a_part_without_a_line_end_of_its_own_gets_one)
{
	becomes(MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\nX: y\r\n\r\n--b--\r\n"), APPEND("x"),
	        MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\nX: y\r\n\r\nx\r\n--b--\r\n"));
	is_left_out(MAIL("multipart/mixed; boundary=b", NULL,
	                 "--b\r\nX: y\r\n--b--\r\n"), APPEND("x"),
	            "of text/plain: it is a header without a body");
}
END_TEST

START_TEST(attachments_and_attached_messages_stay)
{
	is_left_out(MAIL("multipart/mixed; boundary=b", NULL, "--b\r\n"
	                 "Content-Type: text/plain; name=a.txt\r\n\r\na\r\n"
	                 "--b--\r\n"), APPEND("x"),
	            "it has no text of its own");
	is_left_out(MAIL("application/pdf", NULL, "a\r\n"), APPEND("x"),
	            "it has no text of its own");
	is_left_out(MAIL("message/rfc822", NULL, "Subject: x\r\n\r\na\r\n"),
	            APPEND("x"), "it has no text of its own");
	is_left_out(MAIL("multipart/mixed; boundary=b", NULL,
	                 "--b\r\nContent-Disposition: Attachment\r\n\r\na\r\n"
	                 "--b\r\nContent-Type: message/rfc822\r\n\r\n\r\na\r\n"
	                 "--b--\r\n"), APPEND("x"),
	            "it has no text of its own");
}
END_TEST

START_TEST(a_message_that_is_one_text_has_it_whatever_its_name)
{
	becomes(MAIL("text/html; name=a.htm", NULL, "<p>a\r\n"), PREPEND("x"),
	        MAIL("text/html; name=a.htm", NULL,
	             "<div>x</div>\r\n<p>a\r\n"));
}
END_TEST

/* Readers who know no start show the first part. */
START_TEST(the_root_of_what_is_related_is_where_start_says)
{
	becomes(MAIL("multipart/related; boundary=b; start=\"<r@x>\"", NULL,
	             "--b\r\n\r\none\r\n--b\r\nContent-ID: <r@x>\r\n\r\ntwo"
	             "\r\n--b--\r\n"), APPEND("x"),
	        MAIL("multipart/related; boundary=b; start=\"<r@x>\"", NULL,
	             "--b\r\n\r\none\r\nx\r\n--b\r\nContent-ID: <r@x>\r\n"
	             "\r\ntwo\r\nx\r\n--b--\r\n"));
	becomes(MAIL("multipart/related; boundary=b; start=\"<r@x>\"", NULL,
	             "--b\r\nContent-Type: image/png\r\n\r\none\r\n--b\r\n"
	             "Content-ID: <r@x>\r\n\r\ntwo\r\n--b--\r\n"),
	        APPEND("x"),
	        MAIL("multipart/related; boundary=b; start=\"<r@x>\"", NULL,
	             "--b\r\nContent-Type: image/png\r\n\r\none\r\n--b\r\n"
	             "Content-ID: <r@x>\r\n\r\ntwo\r\nx\r\n--b--\r\n"));
}
END_TEST

START_TEST(signed_and_encrypted_mail_stays)
{
	is_left_out(MAIL("multipart/signed; boundary=b", NULL, ALTERNATIVE),
	            APPEND("x"),
	            "it is signed or encrypted: multipart/signed");
	is_left_out(MAIL("application/octet-stream; name=smime.P7M", NULL, "a"),
	            REPLACE("x"), "it is signed or encrypted: "
	            "application/pkcs7-mime by its name");
	is_left_out(MAIL(NULL, NULL, "a\r\n-----BEGIN PGP SIGNED MESSAGE-----"
	                 "\r\nb\r\n"), APPEND("x"),
	            "it is signed or encrypted: PGP in its text");
	is_left_out(MAIL("text/plain", "base64",
	                 "LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCg==\r\n"),
	            APPEND("x"), "it is signed or encrypted: PGP in its text");
	becomes(MAIL(NULL, NULL, "> -----BEGIN PGP MESSAGE-----\r\n"),
	        APPEND("x"),
	        MAIL(NULL, NULL, "> -----BEGIN PGP MESSAGE-----\r\nx\r\n"));
	/* a signature of nothing, or of a file: it holds as well as before */
	becomes(MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\n\r\na\r\n--b\r\nContent-Type: "
	             "application/pkcs7-signature; name=smime.p7s\r\n\r\nMII="
	             "\r\n--b\r\nContent-Type: application/pgp-signature\r\n"
	             "\r\n-----BEGIN PGP SIGNATURE-----\r\n--b--\r\n"),
	        PREPEND("x"),
	        MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\n\r\nx\r\na\r\n--b\r\nContent-Type: "
	             "application/pkcs7-signature; name=smime.p7s\r\n\r\nMII="
	             "\r\n--b\r\nContent-Type: application/pgp-signature\r\n"
	             "\r\n-----BEGIN PGP SIGNATURE-----\r\n--b--\r\n"));
	/* that of another is no concern of this one's */
	becomes(MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\n\r\na\r\n--b\r\nContent-Type: message/rfc822\r\n"
	             "\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n"
	             "--c\r\n\r\nb\r\n--c--\r\n--b--\r\n"), APPEND("x"),
	        MAIL("multipart/mixed; boundary=b", NULL,
	             "--b\r\n\r\na\r\nx\r\n--b\r\nContent-Type: message/rfc822"
	             "\r\n\r\nContent-Type: multipart/signed; boundary=c\r\n"
	             "\r\n--c\r\n\r\nb\r\n--c--\r\n--b--\r\n"));
}
END_TEST

START_TEST(what_readers_disagree_about_stays)
{
	is_left_out(MAIL("multipart/mixed; boundary=b", NULL,
	                 "--b\r\n\r\na\r\n--bb\r\n\r\nb\r\n--b--\r\n"),
	            APPEND("x"), "readers disagree about its parts: "
	            "false-boundary");
	is_left_out(MAIL("multipart/mixed; boundary=b", NULL,
	                 "--b\r\n\r\na\r--b\r\r\n--b--\r\n"),
	            APPEND("x"), "readers disagree about its parts: bare-cr");
	is_left_out(MAIL("text/plain", "base64", "!!aGVs bG8\r\n"),
	            APPEND("x"), "of text/plain: its base64 is broken");
	is_left_out(MAIL("text/plain", "x-uuencode", "a\r\n"), APPEND("x"),
	            "of text/plain: nobody knows its transfer encoding");
	is_left_out(MAIL("text/plain; charset=x-klingon", "8bit", "\xe4\r\n"),
	            APPEND("x\xc3\xbc"), "of text/plain: not all of it is text "
	            "in its charset");
	is_left_out(MAIL("text/plain; charset=iso-2022-jp", "7bit",
	                 "\033$B$3$s\033(\350\r\n"), APPEND("x"),
	            "of text/plain: not all of it is text in its charset");
}
END_TEST

START_TEST(a_charset_that_nobody_knows_carries_ascii)
{
	becomes(MAIL("text/plain; charset=unknown-8bit", "8bit", "\xe4\r\n"),
	        APPEND("x"), MAIL("text/plain; charset=unknown-8bit", "8bit",
	                          "\xe4\r\nx\r\n"));
	becomes(MAIL("text/html; charset=unknown-8bit", "8bit", "\xe4\r\n"),
	        PREPEND("\xc3\xbc"), MAIL("text/html; charset=unknown-8bit",
	                "8bit", "<div>&#252;</div>\r\n\xe4\r\n"));
	becomes(MAIL("text/plain; charset=x-klingon", "7bit", "a\r\n"),
	        APPEND("\xc3\xbc"), MAIL("text/plain; charset=utf-8",
	                "quoted-printable", "a\r\n=C3=BC\r\n"));
	is_left_out(MAIL("text/plain; charset=x-klingon", "base64",
	                 "AGEAYg==\r\n"), APPEND("x"),
	            "of text/plain: not all of it is text in its charset");
}
END_TEST

START_TEST(a_charset_that_is_told_oddly_is_told_anew)
{
	becomes(MAIL("text/plain; charset*=us-ascii''us-ascii", NULL,
	             "a\r\n"), APPEND("\xc3\xbc"),
	        MAIL("text/plain; charset=utf-8", "quoted-printable",
	             "a\r\n=C3=BC\r\n"));
	becomes(MAIL("text/plain; charset*0=koi8; charset*1=-r; delsp=yes;"
	             " format=flowed", "8bit", "\xc1 \r\n"),
	        PREPEND("\xc3\xbc"),
	        MAIL("text/plain; charset=utf-8; format=flowed; delsp=yes",
	             "quoted-printable", "=C3=BC\r\n=D0=B0=20\r\n"));
}
END_TEST

START_TEST(a_report_gets_a_banner_and_no_footer)
{
	const char *type = "multipart/report; report-type=delivery-status;"
		" boundary=b";

	is_left_out(MAIL(type, NULL, "--b\r\n\r\nbounced\r\n--b--\r\n"),
	            APPEND("x"),
	            "it is a multipart/report, which no person wrote");
	becomes(MAIL(type, NULL, "--b\r\n\r\nbounced\r\n--b--\r\n"),
	        PREPEND("x"),
	        MAIL(type, NULL, "--b\r\n\r\nx\r\nbounced\r\n--b--\r\n"));
}
END_TEST

/* ---- once ---- */

START_TEST(once_is_once_in_a_quoted_reply_too)
{
	struct effect e = APPEND("Example Ltd., Vienna\nhttps://example.org/");
	const char *why = "the text stands in it already";

	e.once = true;
	becomes(MAIL(NULL, NULL, "hello\r\n"), e,
	        MAIL(NULL, NULL, "hello\r\nExample Ltd., Vienna\r\n"
	             "https://example.org/\r\n"));
	is_left_out(MAIL(NULL, NULL, "No.\r\n> > Example Ltd.,\r\n> > Vienna "
	                 "https://example.org/\r\n"), e, why);
	is_left_out(MAIL("text/html", NULL, "<p>No.<blockquote>Example&nbsp;"
	                 "Ltd., Vienna<br>\r\n<a href=x>https://example.org/"
	                 "</a></blockquote>\r\n"), e, why);
	is_left_out(MAIL("text/plain", "base64", "RXhhbXBsZSBMdGQuLCBWaWVubmEg"
	                 "aHR0cHM6Ly9leGFtcGxlLm9yZy8K\r\n"), e, why);
}
END_TEST

/* ---- several ---- */

START_TEST(changes_act_on_each_other_s_result)
{
	struct effect first = APPEND("\xc3\xbc"), second = PREPEND("top");
	struct effect third = APPEND("end");
	struct outcome o = changed(MAIL("text/plain", NULL, "a\r\n"), &first);

	ck_assert(change_body(&o.e, &second));
	ck_assert(change_body(&o.e, &third));
	is(edit_result(&o.e), "top\r\na\r\n=C3=BC\r\nend\r\n");
	first.once = true;
	ck_assert(change_body(&o.e, &first));
	ck_assert_str_eq(edit_left_out(&o.e, &first),
	                 "the text stands in it already");
	edit_end(&o.e);
}
END_TEST

/* ---- quoted-printable ---- */

START_TEST(each_place_in_quoted_printable_is_found)
{
	static const char qp[] = "a=\r\n b=3Dc  \r\n=\r\n\r\n=zz=\r\n=";
	struct span in = SPAN(qp);
	char whole[64], before[64], head[64];
	bool bad = false;
	size_t n = transfer_qp(in, whole, &bad), i, place;

	for (i = 0; i <= n; i++) {
		place = transfer_qp_place(in, i);
		ck_assert_uint_le(place, in.n);
		/* what is before it, softly ended, means the bytes before */
		memcpy(before, qp, place);
		before[place] = '=';
		ck_assert_uint_eq(transfer_qp((struct span){before, place + 1},
		                              head, &bad), i);
		ck_assert_mem_eq(head, whole, i);
		i += i < n && whole[i] == '\r';
	}
}
END_TEST

CHECK_MAIN("change",
	ascii_goes_behind_the_text_as_it_is,
	ascii_goes_before_the_text,
	what_ascii_lacks_makes_it_utf8_in_quoted_printable,
	the_charset_is_kept_where_it_carries_the_text,
	euro_in_iso_8859_1_is_no_euro,
	base64_is_made_anew,
	quoted_printable_keeps_its_other_lines,
	long_lines_are_folded_away,
	flowed_text_gets_fixed_lines,
	a_text_is_replaced,
	what_else_is_shown_goes_with_the_text_that_is_replaced,
	html_goes_before_the_end_of_the_body,
	html_goes_before_all_that_is_shown,
	what_the_charset_lacks_is_a_reference,
	html_of_its_own_stands_as_it_is,
	a_stranger_s_control_characters_are_blanks,
	each_alternative_gets_the_text, html_of_other_names_is_html,
	a_line_that_is_a_boundary_is_written_otherwise,
	a_part_without_a_line_end_of_its_own_gets_one,
	attachments_and_attached_messages_stay,
	a_message_that_is_one_text_has_it_whatever_its_name,
	the_root_of_what_is_related_is_where_start_says,
	signed_and_encrypted_mail_stays,
	what_readers_disagree_about_stays,
	a_charset_that_nobody_knows_carries_ascii,
	a_charset_that_is_told_oddly_is_told_anew,
	a_report_gets_a_banner_and_no_footer,
	once_is_once_in_a_quoted_reply_too,
	changes_act_on_each_other_s_result,
	each_place_in_quoted_printable_is_found)
