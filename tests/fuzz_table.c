/*
 * fuzz_table.c - any bytes as a table's file: it is read or its mistakes are
 * told, and what is an entry of it is found.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "diag.h"
#include "domain.h"
#include "fold.h"
#include "table.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct place nowhere;

static struct table *
read_table(const uint8_t *data, size_t size, struct diags *d)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char path[64];
	struct table *t;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	t = table_file("fuzz", path, nowhere, d);
	close(fd);
	return t;
}

static void
print_mistakes(struct diags *d)
{
	char *p = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&p, &n);

	if (out == NULL)
		abort();
	diags_print(d, out);
	fclose(out);
	free(p);
}

/* As whatever it may be; in a good table a plain first word is a text. */
static void
look_up(const struct table *t, struct span word, struct arena *a, bool there)
{
	static const struct table_context context = {
		.recipient_delimiter = '+',
		.limits = {.match = 10000, .depth = 1000}};
	const char *at = word.n == 0 ? NULL : memchr(word.p, '@', word.n);
	struct value v = {.type = VALUE_TEXT, .text = word};
	struct table_answer answer;

	if (table_find(t, &v, &context, a, &answer) != TABLE_YES && there)
		abort();
	v.text = utf8_make_valid(a, word);
	v.type = VALUE_NAME;
	v.text = domain_canonical(a, v.text);
	(void)table_find(t, &v, &context, a, &answer);
	v.type = VALUE_ADDRESS;
	v.local = at == NULL ? v.text : utf8_make_valid(
		a, (struct span){word.p, (size_t)(at - word.p)});
	if (at != NULL)
		v.domain = domain_canonical(a, utf8_make_valid(a,
			(struct span){at + 1,
			              (size_t)(word.p + word.n - at) - 1}));
	(void)table_find(t, &v, &context, a, &answer);
	(void)table_entry_covers(word, &v, &context, a);
	v.type = VALUE_IP;
	if (ip_parse(word, &v.ip))
		(void)table_find(t, &v, &context, a, &answer);
}

static bool
plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '@' ||
	       c == '.';
}

/* The word that each line begins with. */
static void
look_up_all(const struct table *t, struct span text, struct arena *a,
            bool good)
{
	size_t at = 0, n;

	while (at < text.n) {
		for (n = 0; at + n < text.n && plain(text.p[at + n]); n++)
			;
		look_up(t, (struct span){text.p + at, n}, a,
		        good && n > 0 && (at + n == text.n ||
		                          text.p[at + n] == '\n'));
		while (at < text.n && text.p[at] != '\n')
			at++;
		at++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	struct diags *d = diags_new();
	struct arena *a = arena_new(0);
	struct table *t = read_table(data, size, d);
	bool good = t != NULL && diags_errors(d) == 0;
	enum value_type type;

	if (a == NULL || (t == NULL && diags_errors(d) == 0) ||
	    fold_open() != NULL)
		abort();
	if (t != NULL) {
		for (type = VALUE_TEXT; type <= VALUE_NUMBER; type++) {
			table_ask_key(t, type, nowhere, d);
			table_ask_values(t, type, nowhere, d);
		}
		look_up_all(t, text, a, good);
	}
	print_mistakes(d);
	table_free(t);
	arena_free(a);
	diags_free(d);
	return 0;
}
