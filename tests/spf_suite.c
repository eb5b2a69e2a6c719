/*
 * spf_suite.c - runs the SPF test suites of openspf.org: YAML files of
 * scenarios, each with its cases and its zone.
 *
 *	tests/spf-suite [-v] [-p] FILE.yml...
 *
 * Where a case allows several results, the first is the one preferred; -p
 * takes only that. -v names what passed, too.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "dns_zone.h"
#include "spf.h"

static bool verbose, preferred;
static unsigned passed, failed;

static yaml_node_t *
node(yaml_document_t *d, int index)
{
	return yaml_document_get_node(d, index);
}

static struct span
scalar(const yaml_node_t *n)
{
	if (n == NULL || n->type != YAML_SCALAR_NODE)
		return (struct span){NULL, 0};
	return (struct span){(const char *)n->data.scalar.value,
	                     n->data.scalar.length};
}

static yaml_node_t *
member(yaml_document_t *d, yaml_node_t *map, const char *name)
{
	yaml_node_pair_t *p;

	if (map == NULL || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++)
		if (span_is(scalar(node(d, p->key)), span_of(name)))
			return node(d, p->value);
	return NULL;
}

/* YAML's \xNN is a character: as UTF-8 here, a byte in the zone. */
static struct span
bytes(struct span s, char *out)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c == 0xc2 || c == 0xc3) && i + 1 < s.n)
			out[n++] = (char)(((c & 3) << 6) |
			                  (s.p[++i] & 0x3f));
		else
			out[n++] = (char)c;
	}
	return (struct span){out, n};
}

static struct span
without_dot(struct span name)
{
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

/* A TXT or SPF entry: one string, or a list of them. */
static void
add_txt(struct resolver *zone, yaml_document_t *d, struct span owner,
        yaml_node_t *value)
{
	char text[65536], one[8192];
	struct span s;
	size_t n = 0;
	yaml_node_item_t *i;

	if (value->type == YAML_SCALAR_NODE) {
		s = bytes(scalar(value), text);
		n = s.n;
	} else {
		for (i = value->data.sequence.items.start;
		     i < value->data.sequence.items.top; i++) {
			s = bytes(scalar(node(d, *i)), one);
			memcpy(text + n, s.p, s.n);
			n += s.n;
		}
	}
	zone_add(zone, owner, DNS_TXT, (struct dns_record){{text, n}, 0});
}

static void
add_record(struct resolver *zone, yaml_document_t *d, struct span owner,
           struct span type, yaml_node_t *value)
{
	struct span s = scalar(value);
	unsigned char ip[16];
	yaml_node_item_t *i;

	if (span_is(type, SPAN("TXT"))) {
		if (!span_is(s, SPAN("NONE")))
			add_txt(zone, d, owner, value);
	} else if (span_is(type, SPAN("A"))) {
		inet_pton(AF_INET, s.p, ip);
		zone_add(zone, owner, DNS_A,
		         (struct dns_record){{(char *)ip, 4}, 0});
	} else if (span_is(type, SPAN("AAAA"))) {
		inet_pton(AF_INET6, s.p, ip);
		zone_add(zone, owner, DNS_AAAA,
		         (struct dns_record){{(char *)ip, 16}, 0});
	} else if (span_is(type, SPAN("PTR"))) {
		zone_add(zone, owner, DNS_PTR,
		         (struct dns_record){without_dot(s), 0});
	} else if (span_is(type, SPAN("CNAME"))) {
		zone_add_cname(zone, owner, without_dot(s));
	} else if (span_is(type, SPAN("MX"))) {
		i = value->data.sequence.items.start;
		zone_add(zone, owner, DNS_MX, (struct dns_record){
			without_dot(scalar(node(d, i[1]))),
			(unsigned)atoi(scalar(node(d, i[0])).p)});
	}
}

static bool
has_txt(yaml_document_t *d, yaml_node_t *list)
{
	yaml_node_item_t *i;

	for (i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++)
		if (member(d, node(d, *i), "TXT") != NULL)
			return true;
	return false;
}

/* An SPF entry stands for TXT too, unless the name has TXT of its own. */
static void
add_owner(struct resolver *zone, yaml_document_t *d, struct span owner,
          yaml_node_t *list)
{
	bool own_txt = has_txt(d, list);
	yaml_node_item_t *i;
	yaml_node_t *entry;
	yaml_node_pair_t *p;
	struct span type;

	for (i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++) {
		entry = node(d, *i);
		if (span_is(scalar(entry), SPAN("TIMEOUT")))
			zone_add_failure(zone, owner, DNS_TIMEOUT);
		else if (span_is(scalar(entry), SPAN("SERVFAIL")))
			zone_add_failure(zone, owner, DNS_SERVFAIL);
		if (entry->type != YAML_MAPPING_NODE)
			continue;
		p = entry->data.mapping.pairs.start;
		type = scalar(node(d, p->key));
		if (!span_is(type, SPAN("SPF")))
			add_record(zone, d, owner, type, node(d, p->value));
		else if (!own_txt)
			add_txt(zone, d, owner, node(d, p->value));
	}
}

static struct resolver *
make_zone(yaml_document_t *d, yaml_node_t *data)
{
	struct resolver *zone = zone_new();
	yaml_node_pair_t *p;

	if (data == NULL || data->type != YAML_MAPPING_NODE)
		return zone;
	for (p = data->data.mapping.pairs.start;
	     p < data->data.mapping.pairs.top; p++)
		add_owner(zone, d, without_dot(scalar(node(d, p->key))),
		          node(d, p->value));
	return zone;
}

static bool
is_expected(yaml_document_t *d, yaml_node_t *want, struct span got)
{
	yaml_node_item_t *i;

	if (want->type == YAML_SCALAR_NODE)
		return span_is(scalar(want), got);
	for (i = want->data.sequence.items.start;
	     i < want->data.sequence.items.top; i++) {
		if (span_is(scalar(node(d, *i)), got))
			return true;
		if (preferred)
			return false;
	}
	return false;
}

static void
print_expected(yaml_document_t *d, yaml_node_t *want)
{
	yaml_node_item_t *i;

	if (want->type == YAML_SCALAR_NODE) {
		printf("%.*s", SPAN_ARG(scalar(want)));
		return;
	}
	for (i = want->data.sequence.items.start;
	     i < want->data.sequence.items.top; i++)
		printf("%s%.*s",
		       i > want->data.sequence.items.start ? " or " : "",
		       SPAN_ARG(scalar(node(d, *i))));
}

/* "DEFAULT" is an explanation that the domain does not give. */
static bool
same_explanation(yaml_node_t *want, struct span got)
{
	if (want == NULL)
		return true;
	if (span_is(scalar(want), SPAN("DEFAULT")))
		return got.n == 0;
	return span_is(scalar(want), got);
}

static void
run_case(yaml_document_t *d, struct resolver *zone, struct span name,
         yaml_node_t *test)
{
	struct spf_budget budget = SPF_BUDGET;
	struct span host = scalar(member(d, test, "host"));
	struct span sender = scalar(member(d, test, "mailfrom"));
	yaml_node_t *want = member(d, test, "result");
	yaml_node_t *explanation = member(d, test, "explanation");
	struct spf_finding f;
	struct arena *a = arena_new(0);
	struct span got;
	struct ip client;
	bool ok;

	if (want == NULL || !ip_parse(host, &client)) {
		printf("%.*s: not a case\n", SPAN_ARG(name));
		failed++;
		arena_free(a);
		return;
	}
	spf_check(zone, SPF_MAILFROM, &client,
	          scalar(member(d, test, "helo")), sender, &budget, a, &f);
	got = span_of(spf_result_name(f.result));
	ok = is_expected(d, want, got) &&
	     same_explanation(explanation, f.explanation);
	if (ok)
		passed++;
	else
		failed++;
	if (!ok || verbose) {
		printf("%s %.*s: expected ", ok ? "pass" : "FAIL",
		       SPAN_ARG(name));
		print_expected(d, want);
		if (explanation != NULL)
			printf(" \"%.*s\"", SPAN_ARG(scalar(explanation)));
		printf(", got %.*s \"%.*s\" %.*s%s%.*s\n", SPAN_ARG(got),
		       SPAN_ARG(f.explanation), SPAN_ARG(f.term),
		       f.reason.n > 0 ? ": " : "", SPAN_ARG(f.reason));
	}
	arena_free(a);
}

static void
run_scenario(yaml_document_t *d)
{
	yaml_node_t *root = yaml_document_get_root_node(d);
	yaml_node_t *tests = member(d, root, "tests");
	struct resolver *zone = make_zone(d, member(d, root, "zonedata"));
	yaml_node_pair_t *p;

	if (tests != NULL && tests->type == YAML_MAPPING_NODE)
		for (p = tests->data.mapping.pairs.start;
		     p < tests->data.mapping.pairs.top; p++)
			run_case(d, zone, scalar(node(d, p->key)),
			         node(d, p->value));
	resolver_unref(zone);
}

static bool
run_file(const char *name)
{
	yaml_parser_t parser;
	yaml_document_t d;
	FILE *in = fopen(name, "rb");
	bool ok = true, more = true;

	if (in == NULL || yaml_parser_initialize(&parser) != 1) {
		perror(name);
		return false;
	}
	yaml_parser_set_input_file(&parser, in);
	while (more && ok) {
		ok = yaml_parser_load(&parser, &d) == 1;
		if (!ok) {
			fprintf(stderr, "%s:%zu: %s\n", name,
			        parser.problem_mark.line + 1, parser.problem);
			break;
		}
		more = yaml_document_get_root_node(&d) != NULL;
		if (more)
			run_scenario(&d);
		yaml_document_delete(&d);
	}
	yaml_parser_delete(&parser);
	fclose(in);
	return ok;
}

int
main(int argc, char **argv)
{
	bool ok = true;
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: spf-suite [-v] [-p] FILE.yml...\n");
		return 64;
	}
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			verbose = true;
		else if (strcmp(argv[i], "-p") == 0)
			preferred = true;
		else
			ok = run_file(argv[i]) && ok;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return ok && failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
