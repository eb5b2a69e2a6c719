#include <string.h>

#include "check.h"
#include "domain.h"

static void
becomes(struct arena *a, const char *from, const char *to)
{
	struct span made = domain_canonical(a, span_of(from)), again;

	ck_assert_msg(span_is(made, span_of(to)), "%s becomes %.*s, not %s",
	              from, SPAN_ARG(made), to);
	again = domain_canonical(a, made);
	ck_assert_msg(span_is(again, made), "%s is not its own spelling", to);
}

START_TEST(a_name_has_one_spelling)
{
	struct arena *a = arena_new(0);

	becomes(a, "Example.ORG", "example.org");
	becomes(a, "example.org.", "example.org");
	becomes(a, "m\xc3\xbcnchen.example", "xn--mnchen-3ya.example");
	becomes(a, "M\xc3\x9cNCHEN.example.", "xn--mnchen-3ya.example");
	becomes(a, "mu\xcc\x88nchen.example", "xn--mnchen-3ya.example");
	becomes(a, "XN--MNCHEN-3YA.Example", "xn--mnchen-3ya.example");
	becomes(a, "a_b-.example", "a_b-.example");
	/* U+3002, the ideographic full stop, is a dot too */
	becomes(a, "b\xc3\xbc" "cher\xe3\x80\x82" "example",
	        "xn--bcher-kva.example");
	arena_free(a);
}
END_TEST

START_TEST(what_is_no_name_keeps_its_bytes)
{
	struct arena *a = arena_new(0);
	struct span made;
	char many[3000];

	becomes(a, "", "");
	becomes(a, ".", ".");
	becomes(a, "[IPv6:::1]", "[ipv6:::1]");
	becomes(a, "Two Words.", "two words.");
	becomes(a, "a..b.", "a..b.");
	becomes(a, ".Example.org", ".example.org");
	becomes(a, "\xff\xfe.Example", "\xff\xfe.example");
	/* U+FF20 and U+2100 would map to "@" and to "a/c" */
	becomes(a, "x\xef\xbc\xa0" "example.org", "x\xef\xbc\xa0" "example.org");
	becomes(a, "\xe2\x84\x80.example.org", "\xe2\x84\x80.example.org");
	made = domain_canonical(a, SPAN("M\xc3\xbc\0x"));
	ck_assert(span_is(made, SPAN("m\xc3\xbc\0x")));
	memset(many, 0xc3, sizeof(many));
	made = domain_canonical(a, (struct span){many, sizeof(many)});
	ck_assert(span_is(made, (struct span){many, sizeof(many)}));
	arena_free(a);
}
END_TEST

START_TEST(without_memory_there_is_no_name)
{
	struct arena *a = arena_new(1);

	ck_assert_ptr_null(domain_canonical(a, SPAN("Example.org")).p);
	ck_assert_ptr_null(domain_canonical(a, SPAN("m\xc3\xbc.org")).p);
	arena_free(a);
}
END_TEST

CHECK_MAIN("domain", a_name_has_one_spelling, what_is_no_name_keeps_its_bytes,
           without_memory_there_is_no_name)
