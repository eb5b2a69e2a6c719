#include <stdio.h>
#include <string.h>

#include "check.h"
#include "stamp.h"

static const struct span id = {"mx.example.org", 14};

START_TEST(a_field_of_ours_is_known_however_it_is_written)
{
	static const char *const ours[] = {
		"mx.example.org; spf=pass",
		"MX.Example.ORG; spf=pass",
		" \r\n mx.example.org\r\n ; spf=pass",
		"mx.example.org 1; spf=pass",
		"mx.example.org/1; spf=pass",
		"mx.example.org",
		"mx.example.org.; spf=pass",
		"(a comment) mx.example.org (b (nested) \\) c); spf=pass",
		"\"mx.example.org\"; spf=pass",
		"\"mx.ex\\ample.org\" 1; spf=pass",
		"\"mx\".example.org; spf=pass",
		"mx(x).example.org; spf=pass",
		"mx.example.org(x); spf=pass",
		"mx.example.org (x) 1 (y) ; spf=pass",
		"mx.\texample.org; spf=pass",
		"\001mx.example.org; spf=pass",
		"mx.example.org other; spf=pass",
		"(not closed mx.example.org; spf=pass",
		"\"not closed mx.example.org; spf=pass",
		"mx.ex\\ample.org; spf=pass",
		/* a mail reader may show it so, and one may compare it so */
		"\xef\xbd\x8dx.example.org; spf=pass",
		"mx.ex\xc2\xad" "ample.org 1; spf=pass",
		"mx\xe3\x80\x82" "example.org; spf=pass",
	};
	static const char *const others[] = {
		"mail.example.net; spf=pass smtp.mailfrom=mx.example.org",
		"mx.example.organic; spf=pass",
		"amx.example.org; spf=pass",
		"(mx.example.org) mail.example.net; spf=pass",
		"mail.example.net (mx.example.org); spf=pass",
		"", "; mx.example.org", "example.org; none",
		"\"mail.example.net; mx.example.org\"; spf=pass",
		"mx.ex\xc3\xa4mple.org; spf=pass", "mx.ex\xe4mple.org; none",
	};
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		ck_assert_msg(stamp_claims(span_of(ours[i]), id), "%s",
		              ours[i]);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!stamp_claims(span_of(others[i]), id), "%s",
		              others[i]);
}
END_TEST

START_TEST(a_name_of_ours_in_u_labels_is_ours)
{
	const struct span ascii = SPAN("mx.xn--exmple-cua.org");

	ck_assert(stamp_claims(SPAN("mx.ex\xc3\xa4mple.org; spf=pass"),
	                       ascii));
	ck_assert(stamp_claims(SPAN("\"MX.EX\xc3\x84MPLE.ORG\" 1; x"), ascii));
	ck_assert(stamp_claims(SPAN("mx.exa\xcc\x88mple.org (c); spf=pass"),
	                       ascii));
	ck_assert(stamp_claims(SPAN("MX.XN--EXMPLE-CUA.ORG; spf=pass"),
	                       ascii));
}
END_TEST

static struct spf_finding
finding(enum spf_identity identity, enum spf_result result, const char *term)
{
	return (struct spf_finding){
		.identity = identity, .result = result, .term = span_of(term),
		.reason = SPAN("b.example TXT: timed out"),
	};
}

static void
is(struct span got, const char *want)
{
	ck_assert_msg(span_is(got, span_of(want)), "%.*s", SPAN_ARG(got));
}

START_TEST(received_spf_tells_what_was_checked)
{
	struct arena *a = arena_new(0);
	struct spf_finding f = finding(SPF_MAILFROM, SPF_PASS,
		"mx:a.example/24");
	struct stamp s = {
		.client = SPAN("192.0.2.1"), .sender = SPAN("u@a.example"),
		.helo = SPAN("mail.a.example"), .mta = SPAN("mx.example.org"),
	};

	is(stamp_received_spf(a, &s, &f), "pass (mx.example.org: permitted "
	   "sender is 192.0.2.1)\n client-ip=192.0.2.1;\n "
	   "envelope-from=\"u@a.example\";\n helo=mail.a.example;\n "
	   "receiver=mx.example.org;\n identity=mailfrom;\n "
	   "mechanism=\"mx:a.example/24\";");
	f = finding(SPF_HELO, SPF_TEMPERROR, NULL);
	s.client = SPAN("2001:db8::1");
	s.sender = SPAN("");
	is(stamp_received_spf(a, &s, &f), "temperror (mx.example.org: for now "
	   "nothing can be said of 2001:db8::1)\n "
	   "client-ip=\"2001:db8::1\";\n helo=mail.a.example;\n "
	   "receiver=mx.example.org;\n identity=helo;\n "
	   "problem=\"b.example TXT: timed out\";");
	f = finding(SPF_MAILFROM, SPF_NEUTRAL, NULL); /* RFC 7208 9.1 */
	is(stamp_received_spf(a, &s, &f), "neutral (mx.example.org: neither "
	   "permitted nor denied is 2001:db8::1)\n "
	   "client-ip=\"2001:db8::1\";\n helo=mail.a.example;\n "
	   "receiver=mx.example.org;\n identity=mailfrom;\n "
	   "mechanism=default;");
	arena_free(a);
}
END_TEST

START_TEST(authentication_results_tell_what_was_checked)
{
	struct arena *a = arena_new(0);
	struct spf_finding m = finding(SPF_MAILFROM, SPF_FAIL, "-all");
	struct spf_finding h = finding(SPF_HELO, SPF_PASS, "a:h.example");
	struct stamp s = {
		.mailfrom = &m, .sender = SPAN("u@a.example"),
		.helo = SPAN("h.example"), .authserv_id = id,
	};

	is(stamp_authentication_results(a, &s), "mx.example.org;\n spf=fail "
	   "smtp.mailfrom=u@a.example");
	s.helo_found = &h;
	is(stamp_authentication_results(a, &s), "mx.example.org;\n spf=fail "
	   "smtp.mailfrom=u@a.example;\n spf=pass smtp.helo=h.example");
	s.sender = SPAN("");
	is(stamp_authentication_results(a, &s), "mx.example.org;\n spf=fail "
	   "smtp.helo=h.example");
	s.mailfrom = s.helo_found = NULL;
	s.auth = SPAN("alice");
	is(stamp_authentication_results(a, &s), "mx.example.org;\n auth=pass "
	   "smtp.auth=alice");
	s.auth = (struct span){NULL, 0};
	is(stamp_authentication_results(a, &s), "mx.example.org; none");
	arena_free(a);
}
END_TEST

/*
 * pvalue = value / [ local-part "@" ] domain-name; and no reader that looks
 * for "spf=pass" finds it in what a stranger chose.
 */
START_TEST(a_property_is_of_rfc_8601s_form)
{
	static const struct {
		const char *sender, *pvalue;
	} cases[] = {
		{"u@a.example", "u@a.example"},
		{"srs0=x=y=b.example=u@a.example",
		 "srs0=x=y=b.example=u@a.example"},
		{"u@a_b.example", "\"u@a_b.example\""},
		{"u@localhost", "\"u@localhost\""},
		{"u@-a.example", "\"u@-a.example\""},
		{"u@[192.0.2.1]", "\"u@[192.0.2.1]\""},
		{"\"a b\"@a.example", "\"\\\"a b\\\"@a.example\""},
		{"spf=pass@a.example", "a.example"},
		{"x.dkim=Pass@a.example", "a.example"},
		{"\"spf=pass\"@a_b.example", "a_b.example"},
		{"=?us-ascii?q?spf=3Dpass?=@a.example", "a.example"},
		{"\xc3\xbc@a.example", "a.example"},
		{"?utf-8?q?x?=@a.example", "\"?utf-8?q?x?=@a.example\""},
		{"=\xc3\xbc@b.example", "b.example"},
		{"u@b.example=\xc3", "\"u@b.example??\""},
		{"postmaster", "postmaster"},
	};
	struct arena *a = arena_new(0);
	struct spf_finding f = finding(SPF_MAILFROM, SPF_FAIL, "-all");
	struct stamp s = {.mailfrom = &f, .authserv_id = id};
	char want[200];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.sender = span_of(cases[i].sender);
		snprintf(want, sizeof(want), "mx.example.org;\n spf=fail "
		         "smtp.mailfrom=%s", cases[i].pvalue);
		is(stamp_authentication_results(a, &s), want);
	}
	s.sender = SPAN("");
	s.helo = SPAN("=?us-ascii?q?spf=3Dpass?=");
	is(stamp_authentication_results(a, &s), "mx.example.org;\n spf=fail "
	   "smtp.helo=\"??us-ascii?q?spf?3Dpass??\"");
	s.helo = SPAN("spf=pass");
	is(stamp_authentication_results(a, &s), "mx.example.org;\n spf=fail "
	   "smtp.helo=\"spf?pass\"");
	arena_free(a);
}
END_TEST

/*
 * A reader's view: outside of quotes and comments there are only as many ";"
 * and "=" as we wrote; all is ASCII, and each line has its length.
 */
static void
count_marks(struct span s, unsigned *semicolons, unsigned *equals)
{
	bool quotes = false;
	unsigned depth = 0;
	size_t i, line = 0;

	*semicolons = *equals = 0;
	for (i = 0; i < s.n; i++) {
		ck_assert_uint_lt(line, 900);
		line++;
		if (s.p[i] == '\n') {
			ck_assert(!quotes && depth == 0 && s.p[++i] == ' ');
			line = 1;
			continue;
		}
		ck_assert(s.p[i] >= ' ' && s.p[i] <= '~');
		if (s.p[i] == '\\' && (quotes || depth > 0)) {
			i++;
			continue;
		}
		if (s.p[i] == '"' && depth == 0)
			quotes = !quotes;
		else if (s.p[i] == '(' && !quotes)
			depth++;
		else if (s.p[i] == ')' && !quotes && depth > 0)
			depth--;
		else if (!quotes && depth == 0) {
			*semicolons += s.p[i] == ';';
			*equals += s.p[i] == '=';
		}
	}
	ck_assert(!quotes);
	ck_assert_uint_eq(depth, 0);
}

START_TEST(nothing_that_a_stranger_chose_breaks_out)
{
	static const char *const evil[] = {
		"a; spf=pass smtp.mailfrom=b", "a\"; spf=pass", "a\\", "a\\\"",
		"(", ")", "a)(b", "\r\nX: y", "\x1b[2J", "\xc3\xa9\xff", "=",
		"a=b", "a@b; c", "\"", "x@y\"; dkim=pass", ";", ",", "a b",
		"?=", "=?utf-8?q?x?=",
	};
	struct arena *a = arena_new(0);
	struct spf_finding f = finding(SPF_MAILFROM, SPF_PERMERROR, "-all");
	char lots[2000];
	unsigned semicolons, equals;
	struct stamp s = {.mailfrom = &f, .mta = id, .authserv_id = id};
	size_t i;

	memset(lots, '"', sizeof(lots));
	for (i = 0; i <= sizeof(evil) / sizeof(evil[0]); i++) {
		struct span e = {lots, sizeof(lots)};

		if (i < sizeof(evil) / sizeof(evil[0]))
			e = span_of(evil[i]);
		s.helo = s.sender = s.client = s.auth = f.term = f.reason = e;
		count_marks(stamp_received_spf(a, &s, &f), &semicolons,
		            &equals);
		ck_assert_uint_eq(semicolons, 7);
		count_marks(stamp_authentication_results(a, &s), &semicolons,
		            &equals);
		ck_assert_uint_eq(semicolons, 2);
		ck_assert_uint_eq(equals, 4);
	}
	arena_free(a);
}
END_TEST

CHECK_MAIN("stamp", a_field_of_ours_is_known_however_it_is_written,
           a_name_of_ours_in_u_labels_is_ours,
           received_spf_tells_what_was_checked,
           authentication_results_tell_what_was_checked,
           a_property_is_of_rfc_8601s_form,
           nothing_that_a_stranger_chose_breaks_out)
