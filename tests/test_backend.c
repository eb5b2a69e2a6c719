/* test_backend.c - tables in files of postmap, and what becomes of damage. */
#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "lmdb_pages.h"
#include "tables.h"

static char folder[] = "/tmp/vaglio-backend-XXXXXX";

/* ---- files ---- */

static const char *
path(const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name).p;
}

static void
put(const char *name, const char *text, size_t n)
{
	FILE *f = fopen(path(name), "w");

	ck_assert(f != NULL && fwrite(text, 1, n, f) == n);
	ck_assert_int_eq(fclose(f), 0);
}

static struct span
get(const char *name)
{
	FILE *f = fopen(path(name), "r");
	char *text = arena_alloc(arena, 1 << 20);
	size_t n;

	ck_assert(f != NULL);
	n = fread(text, 1, 1 << 20, f);
	fclose(f);
	return (struct span){text, n};
}

/* With no name to look up. */
static const char main_cf[] =
	"compatibility_level = 3.6\n"
	"myhostname = mail.example.org\n";

/* postmap TYPE:source; false: there is none for this type, and it is told. */
static bool
postmap(const char *type, const char *source, const char *text)
{
	struct span what = arena_printf(arena, "%s:%s", type, path(source));
	const struct timespec old[2] = {{.tv_sec = 1000000000},
	                                {.tv_sec = 1000000000}};
	int status;
	pid_t pid;

	put(source, text, strlen(text));
	/* postmap waits until its source is older than a second */
	ck_assert_int_eq(utimensat(AT_FDCWD, path(source), old, 0), 0);
	put("main.cf", main_cf, sizeof(main_cf) - 1);
	ck_assert_int_eq(utimensat(AT_FDCWD, path("main.cf"), old, 0), 0);
	pid = fork();
	ck_assert(pid >= 0);
	if (pid == 0) {
		execl("/usr/sbin/postmap", "postmap", "-c", folder, what.p,
		      (char *)NULL);
		_exit(127);
	}
	ck_assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == 0)
		return true;
	check_skip(arena_printf(arena, "postmap for %s", type).p);
	return false;
}

static void
begin(void)
{
	tables_begin();
	context.recipient_delimiter = '+';
	ck_assert(mkdtemp(folder) != NULL);
}

static void
end(struct table *t)
{
	static const char *const names[] = {
		"main.cf", "t", "t.lmdb", "t.cdb", "new", "new.lmdb", "new.cdb",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path(names[i]));
	ck_assert_int_eq(rmdir(folder), 0);
	tables_end(t);
}

static struct table *
open_table(const char *type, const char *name)
{
	const struct backend *row = backend_find(span_of(type));

	return table_backend("t", row, path(name), NULL, nowhere, diags);
}

/* ---- what is found ---- */

static const char *
find(const struct table *t, struct value v)
{
	return find_values(t, v, false);
}

/* ---- what postmap writes ---- */

static const char map[] =
	"Alice   alice@example.org, sales@example.org,x@example.net\n"
	"<>      null\n"
	"user@example.org  whole\n"
	"user@   anywhere\n"
	"@example.org      domain\n"
	"@.example.org     under\n"
	"example.net       itself\n"
	".example.net      inside\n"
	"192.0.2.1         one\n"
	"192.0.2.128/25    half\n"
	"192.0.2           octets\n"
	"10                ten\n"
	"2001:db8::/32     six\n"
	"2001:dba          colons\n"
	"postmaster        him\n"
	"\"joe \\\"q\\\" user\"  blanks\n"
	"\"a b\"@example.com  quoted\n"
	"\"a;b\"@b\xc3\xbc" "cher.example  both\n"
	"user@b\xc3\xbc" "cher.example  letters\n"
	"@.b\xc3\xbc" "cher.example     below\n"
	".b\xc3\xbc" "cher.example      deeper\n"
	"xn--bcher-kva.example letterless\n";

static void
check_lookups(const struct table *t)
{
	ck_assert_str_eq(find(t, text("ALICE")),
	                 "alice@example.org|sales@example.org|x@example.net");
	ck_assert_str_eq(find(t, text("alic")), "-");
	ck_assert_str_eq(find(t, text("")), "-");
	ck_assert_str_eq(find(t, address("")), "null");
	ck_assert_str_eq(find(t, address("User@Example.ORG")), "whole");
	ck_assert_str_eq(find(t, address("user+x@example.org")), "whole");
	ck_assert_str_eq(find(t, address("joe@example.org")), "domain");
	ck_assert_str_eq(find(t, address("joe@a.b.example.org")), "under");
	ck_assert_str_eq(find(t, address("user+x@example.com")), "anywhere");
	ck_assert_str_eq(find(t, address("joe@example.com")), "-");
	ck_assert_str_eq(find(t, name("Example.NET")), "itself");
	ck_assert_str_eq(find(t, name("mx.example.net")), "inside");
	ck_assert_str_eq(find(t, name("badexample.net")), "-");
	ck_assert_str_eq(find(t, ip("192.0.2.1")), "one");
	ck_assert_str_eq(find(t, ip("192.0.2.200")), "half");
	ck_assert_str_eq(find(t, ip("192.0.2.7")), "octets");
	ck_assert_str_eq(find(t, ip("10.9.8.7")), "ten");
	ck_assert_str_eq(find(t, ip("100.0.0.1")), "-");
	ck_assert_str_eq(find(t, ip("2001:db8::1")), "six");
	ck_assert_str_eq(find(t, ip("2001:dba:1::1")), "colons");
	ck_assert_str_eq(find(t, ip("2001:db9::1")), "-");
}

/* As postmap keeps them: the file's own spelling. */
static void
check_spellings(const struct table *t)
{
	ck_assert_str_eq(find(t, text("Joe \"q\" user")), "blanks");
	ck_assert_str_eq(find(t, text("joe")), "-");
	ck_assert_str_eq(find(t, address("A B@example.com")), "quoted");
	ck_assert_str_eq(find(t, address("a b+x@example.com")), "quoted");
	ck_assert_str_eq(find(t, address("ab@example.com")), "-");
	ck_assert_str_eq(find(t, address("user@xn--bcher-kva.example")),
	                 "letters");
	ck_assert_str_eq(find(t, address("a;b@xn--bcher-kva.example")),
	                 "both");
	ck_assert_str_eq(find(t, address("x@y.b\xc3\xbc" "cher.example")),
	                 "below");
	ck_assert_str_eq(find(t, name("y.xn--bcher-kva.example")), "deeper");
	ck_assert_str_eq(find(t, name("b\xc3\xbc" "cher.example")),
	                 "letterless");
	ck_assert_str_eq(find(t, (struct value){
		.type = VALUE_ADDRESS, .text = SPAN("user\0x@"),
		.local = SPAN("user\0x"),
		.domain = SPAN("xn--bcher-kva.example")}), "-");
}

static void
check_postmap(const char *type)
{
	struct table *t = NULL;

	begin();
	if (postmap(type, "t", map)) {
		t = open_table(type, "t");
		ck_assert_msg(t != NULL, "%s", told());
		check_lookups(t);
		check_spellings(t);
	}
	end(t);
}

START_TEST(a_file_that_postmap_wrote_as_lmdb_is_looked_up_as_a_file_table_is)
{
	check_postmap("lmdb");
}
END_TEST

START_TEST(a_file_that_postmap_wrote_as_cdb_is_looked_up_as_a_file_table_is)
{
	check_postmap("cdb");
}
END_TEST

START_TEST(the_suffix_of_the_file_may_be_written_out)
{
	struct table *t = NULL;

	begin();
	if (postmap("lmdb", "t", "a b\n")) {
		t = open_table("lmdb", "t.lmdb");
		ck_assert_str_eq(find(t, text("a")), "b");
	}
	end(t);
}
END_TEST

/* More pages than one, and values that need pages of their own. */
/* As other programs write them: lmdb without, cdb with a NUL behind each. */
static void
write_lmdb(const char *key, const char *value)
{
	MDB_val k = {strlen(key), (void *)(size_t)key};
	MDB_val v = {strlen(value), (void *)(size_t)value};
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_open(env, path("t.lmdb"), MDB_NOSUBDIR |
	                              MDB_NOLOCK, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	ck_assert_int_eq(mdb_put(txn, dbi, &k, &v, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void
write_cdb(const char *key, const char *value)
{
	int fd = open(path("t.cdb"), O_RDWR | O_CREAT, 0600);
	struct cdb_make cdb;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(cdb_make_start(&cdb, fd), 0);
	ck_assert_int_eq(cdb_make_add(&cdb, key, (unsigned)strlen(key) + 1,
	                              value, (unsigned)strlen(value) + 1), 0);
	ck_assert_int_eq(cdb_make_finish(&cdb), 0);
	close(fd);
}

START_TEST(a_nul_behind_keys_and_values_makes_no_difference)
{
	static const char *const types[] = {"lmdb", "cdb"};
	struct table *t;
	size_t i;

	begin();
	write_lmdb("user@example.org", "a@example.org, b");
	write_cdb("user@example.org", "a@example.org, b");
	for (i = 0; i < 2; i++) {
		t = open_table(types[i], "t");
		ck_assert_msg(t != NULL, "%s", told());
		ck_assert_str_eq(find(t, address("User@example.org")),
		                 "a@example.org|b");
		ck_assert_str_eq(find(t, address("use@example.org")), "-");
		table_free(t);
	}
	end(NULL);
}
END_TEST

START_TEST(ten_thousand_keys_and_values_longer_than_a_page_are_found)
{
	char *p = NULL, big[9001];
	struct table *t = NULL;
	size_t n = 0;
	FILE *f;
	int i;

	begin();
	memset(big, 'v', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	f = open_memstream(&p, &n);
	for (i = 0; i < 10000; i++)
		fprintf(f, "key%d value%d\n", i, i);
	fprintf(f, "big %s\n", big);
	fclose(f);
	if (postmap("lmdb", "t", p)) {
		t = open_table("lmdb", "t");
		ck_assert_msg(t != NULL, "%s", told());
		for (i = 0; i < 10000; i += 7)
			ck_assert_str_eq(find(t, text(arena_printf(arena,
			                 "key%d", i).p)),
			                 arena_printf(arena, "value%d", i).p);
		ck_assert_str_eq(find(t, text("big")), big);
	}
	free(p);
	end(t);
}
END_TEST

START_TEST(an_empty_map_has_no_key)
{
	struct table *t = NULL;

	begin();
	if (postmap("lmdb", "t", "# nothing\n")) {
		t = open_table("lmdb", "t");
		ck_assert_msg(t != NULL, "%s", told());
		ck_assert_str_eq(find(t, text("a")), "-");
	}
	end(t);
}
END_TEST

/* ---- changes ---- */

START_TEST(a_file_written_anew_in_place_is_read_again)
{
	struct table *t = NULL;

	begin();
	if (postmap("lmdb", "t", "a before\n")) {
		t = open_table("lmdb", "t");
		ck_assert_str_eq(find(t, text("a")), "before");
		ck_assert(postmap("lmdb", "t", "a after\n"));
		becomes(t, text("a"), "after");
	}
	end(t);
}
END_TEST

START_TEST(a_file_that_another_was_renamed_to_is_read_again)
{
	struct table *t = NULL;

	begin();
	if (postmap("cdb", "t", "a before\n")) {
		t = open_table("cdb", "t");
		ck_assert_str_eq(find(t, text("a")), "before");
		ck_assert(postmap("cdb", "t", "a after\n"));
		becomes(t, text("a"), "after");
	}
	end(t);
}
END_TEST

static void
check_damage(const char *type, const char *file)
{
	struct table *t = NULL;
	struct span whole;

	begin();
	if (postmap(type, "t", map)) {
		t = open_table(type, "t");
		whole = get(file);
		ck_assert_int_eq(truncate(path(file), (off_t)whole.n / 3), 0);
		becomes(t, text("alice"), "!");
		put(file, whole.p, whole.n);
		becomes(t, text("alice"), "alice@example.org");
		ck_assert_int_eq(unlink(path(file)), 0);
		becomes(t, text("alice"), "!No such file");
	}
	end(t);
}

START_TEST(an_lmdb_file_cut_off_or_gone_fails_until_it_is_mended)
{
	check_damage("lmdb", "t.lmdb");
}
END_TEST

START_TEST(a_cdb_file_cut_off_or_gone_fails_until_it_is_mended)
{
	check_damage("cdb", "t.cdb");
}
END_TEST

/* ---- damage ---- */

static uint32_t
roll(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Whatever bytes change: an answer, or an error; never a crash. */
static void
check_noise(const char *type, const char *file)
{
	const struct backend *row = backend_find(span_of(type));
	struct backend_reply reply;
	struct span whole;
	uint32_t state = 1;
	char why_not[BACKEND_WHY];
	char *copy;
	void *opened;
	int i, j;

	begin();
	if (!postmap(type, "t", map)) {
		end(NULL);
		return;
	}
	whole = get(file);
	copy = arena_alloc(arena, whole.n);
	for (i = 0; i < 1000; i++) {
		memcpy(copy, whole.p, whole.n);
		for (j = 0; j < 4; j++)
			copy[roll(&state) % whole.n] = (char)roll(&state);
		if (i % 3 == 0) /* among the headers */
			copy[roll(&state) % 200] = (char)roll(&state);
		put("new", copy, i % 5 == 0 ? roll(&state) % whole.n : whole.n);
		opened = row->open(path("new"), NULL, why_not);
		if (opened == NULL) {
			ck_assert_uint_gt(strlen(why_not), 0);
			continue;
		}
		row->find(opened, SPAN("alice"), 0, arena, &reply);
		row->find(opened, SPAN("192.0.2.1"), 0, arena, &reply);
		row->find(opened, SPAN("zzz"), 0, arena, &reply);
		row->close(opened);
	}
	end(NULL);
}

START_TEST(a_damaged_lmdb_file_gives_an_error_or_an_answer)
{
	check_noise("lmdb", "t.lmdb");
}
END_TEST

START_TEST(a_damaged_cdb_file_gives_an_error_or_an_answer)
{
	check_noise("cdb", "t.cdb");
}
END_TEST

START_TEST(what_is_no_such_file_can_not_be_opened)
{
	begin();
	put("t", "alice alice@example.org\n", 24);
	put("t.lmdb", "alice alice@example.org\n", 24);
	put("t.cdb", "", 0);
	ck_assert(open_table("lmdb", "t") == NULL);
	ck_assert(strstr(told(), "it is no lmdb file") != NULL);
	ck_assert(open_table("cdb", "t") == NULL);
	ck_assert(strstr(told(), "it is no cdb file") != NULL);
	ck_assert(open_table("cdb", "no/such") == NULL);
	ck_assert(strstr(told(), "No such file") != NULL);
	end(NULL);
}
END_TEST

/* ---- files of text ---- */

static char heard[4096];

static void
hear(void *of, bool bad, const char *line)
{
	size_t n = strlen(heard);

	(void)of;
	snprintf(heard + n, sizeof(heard) - n, "%s%s\n", bad ? "bad: " : "",
	         line);
}

static struct table *
open_text(const char *content)
{
	struct table *t;

	put("t", content, strlen(content));
	t = table_file_watched("t", path("t"), nowhere, diags);
	ck_assert_msg(t != NULL, "%s", told());
	table_ask_key(t, VALUE_TEXT, nowhere, diags);
	table_ask_values(t, VALUE_ADDRESS, nowhere, diags);
	ck_assert_uint_eq(diags_errors(diags), 0);
	*heard = '\0';
	table_tell(t, hear, NULL);
	return t;
}

/* By renaming another to it. */
static void
replace(const char *content)
{
	put("new", content, strlen(content));
	ck_assert_int_eq(rename(path("new"), path("t")), 0);
}

/* Asks until something is told. */
static void
hears(const struct table *t, const char *what)
{
	const struct timespec pause = {0, 20000000};
	int i;

	for (i = 0; i < 1500 && strstr(heard, what) == NULL; i++) {
		find(t, text("a"));
		nanosleep(&pause, NULL);
	}
	ck_assert_msg(strstr(heard, what) != NULL, "%s", heard);
}

START_TEST(a_text_file_is_read_again_when_it_changes)
{
	struct table *t;

	begin();
	t = open_text("a a@example.org, b@example.org\n");
	ck_assert_str_eq(find(t, text("a")), "a@example.org|b@example.org");
	replace("a c@example.org\nb d@example.org\n");
	becomes(t, text("a"), "c@example.org");
	ck_assert_str_eq(find(t, text("B")), "d@example.org");
	ck_assert_str_eq(heard, "table <t> was read again: 2 entries\n");
	put("t", "a e@example.org\n", 16); /* in place */
	becomes(t, text("a"), "e@example.org");
	ck_assert_str_eq(find(t, text("b")), "-");
	end(t);
}
END_TEST

START_TEST(a_broken_text_file_leaves_the_old_entries_and_is_told_once)
{
	const char *line;
	struct table *t;

	begin();
	t = open_text("a a@example.org\n");
	replace("a c@example.org\n\nb nonsense\n");
	hears(t, "/t:3:3: \"nonsense\" is no address");
	ck_assert(strstr(heard, "the old entries of <t> stay in force") != NULL);
	ck_assert_str_eq(find(t, text("a")), "a@example.org");
	ck_assert_int_eq(unlink(path("t")), 0);
	hears(t, "No such file");
	ck_assert_str_eq(find(t, text("a")), "a@example.org");
	line = strstr(heard, "/t:3:3");
	ck_assert(strstr(line + 1, "/t:3:3") == NULL);
	replace("a d@example.org\n");
	becomes(t, text("a"), "d@example.org");
	end(t);
}
END_TEST

/* ---- a socketmap server ---- */

enum mood { ANSWERS, IS_SLOW, IS_BUSY, TALKS_NONSENSE, SAYS_TOO_MUCH, HANGS_UP };

struct server {
	int fd;
	pthread_t thread;
	atomic_int mood;
	atomic_uint connections, questions;
};

static const char *
reply_to(const char *question, int mood)
{
	if (mood == IS_BUSY)
		return "9:TEMP busy,";
	if (mood == TALKS_NONSENSE)
		return "hello";
	if (mood == SAYS_TOO_MUCH)
		return "999999:OK ";
	if (strcmp(question, "11:users alice,") == 0)
		return "33:OK alice@example.org, b@example.n,";
	return "9:NOTFOUND ,";
}

/* A question is one piece here: they are short. */
static void *
serve(void *of)
{
	const struct timespec slow = {0, 100000000};
	struct server *s = of;
	char question[1024];
	const char *reply;
	ssize_t n;
	int fd, mood;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		atomic_fetch_add(&s->connections, 1);
		while ((n = read(fd, question, sizeof(question) - 1)) > 0) {
			question[n] = '\0';
			atomic_fetch_add(&s->questions, 1);
			mood = atomic_load(&s->mood);
			if (mood == IS_SLOW)
				nanosleep(&slow, NULL);
			reply = mood == HANGS_UP ? "" : reply_to(question, mood);
			if (write(fd, reply, strlen(reply)) < 0 ||
			    mood > IS_BUSY)
				break;
		}
		close(fd);
	}
	return NULL;
}

static void
start_server(struct server *s)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path("s"));
	s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(s->fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(s->fd, 8), 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* After its clients have gone. */
static void
stop_server(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	unlink(path("s"));
}

static struct table *
open_socketmap(void)
{
	return table_backend("t", backend_find(SPAN("socketmap")),
	                     arena_printf(arena, "unix:%s:users",
	                                  path("s")).p, NULL, nowhere, diags);
}

START_TEST(a_socketmap_server_is_asked_over_one_connection)
{
	struct server server = {0};
	struct table *t;

	begin();
	start_server(&server);
	t = open_socketmap();
	ck_assert_msg(t != NULL, "%s", told());
	ck_assert_str_eq(find(t, text("Alice")),
	                 "alice@example.org|b@example.n");
	ck_assert_str_eq(find(t, text("bob")), "-");
	ck_assert_str_eq(find(t, text("")), "-");
	ck_assert_str_eq(find(t, ip("192.0.2.1")), "-");
	ck_assert_uint_eq(atomic_load(&server.connections), 1);
	ck_assert_uint_eq(atomic_load(&server.questions), 6);
	atomic_store(&server.mood, IS_BUSY);
	ck_assert_str_eq(find(t, text("alice")),
	                 "!socketmap users says: TEMP busy");
	table_free(t);
	stop_server(&server);
	end(NULL);
}
END_TEST

/* Each mood costs a pause, after which the server is asked again. */
START_TEST(a_socketmap_server_that_errs_fails_and_comes_back)
{
	static const struct { int mood; const char *says; } bad[] = {
		{TALKS_NONSENSE, "!socketmap users: Protocol error"},
		{SAYS_TOO_MUCH, "!socketmap users: Message too long"},
		{HANGS_UP, "!socketmap users: Connection reset"},
	};
	struct server server = {0};
	struct table *t;
	size_t i;

	begin();
	start_server(&server);
	t = open_socketmap();
	ck_assert_msg(t != NULL, "%s", told());
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		atomic_store(&server.mood, bad[i].mood);
		becomes(t, text("alice"), bad[i].says);
		ck_assert_str_eq(find(t, text("alice")),
		                 "!socketmap users: it is down");
		atomic_store(&server.mood, ANSWERS);
		becomes(t, text("alice"), "alice@example.org");
	}
	table_free(t);
	stop_server(&server);
	end(NULL);
}
END_TEST

/* Each answer comes in time; all of a message's would not. */
START_TEST(a_slow_server_is_waited_for_no_longer_than_the_mta_waits)
{
	struct lookup_wait wait = {.left = 450000000};
	struct server server = {.mood = IS_SLOW};
	struct table *t;
	unsigned i;

	begin();
	start_server(&server);
	t = open_socketmap();
	ck_assert_msg(t != NULL, "%s", told());
	context.wait = &wait;
	for (i = 0; i < 100 && strcmp(find(t, text("bob")), "-") == 0; i++)
		;
	ck_assert_msg(i >= 3 && i <= 5, "%u answers", i);
	ck_assert_str_eq(find(t, text("bob")), "!it takes too long");
	wait.left = 1000000000;
	atomic_store(&server.mood, ANSWERS);
	becomes(t, text("alice"), "alice@example.org");
	ck_assert_int_gt(wait.left, 0);
	table_free(t);
	stop_server(&server);
	end(NULL);
}
END_TEST

START_TEST(a_socketmap_server_may_be_started_anew)
{
	struct server server = {0};
	struct table *t;

	begin();
	ck_assert(open_socketmap() == NULL);
	ck_assert(strstr(told(), "No such file") != NULL);
	start_server(&server);
	t = open_socketmap();
	ck_assert(t != NULL);
	atomic_store(&server.mood, HANGS_UP); /* so that it can be stopped */
	becomes(t, text("alice"), "!socketmap users: Connection reset");
	stop_server(&server);
	becomes(t, text("alice"), "!socketmap users: No such file");
	atomic_store(&server.mood, ANSWERS);
	start_server(&server);
	becomes(t, text("alice"), "alice@example.org");
	table_free(t);
	stop_server(&server);
	end(NULL);
}
END_TEST

/* Postfix's own client understands what the others are tested against. */
START_TEST(postmap_gets_the_same_from_the_socketmap_server)
{
	struct server server = {0};
	struct span command;
	char line[256] = "";
	FILE *out;

	begin();
	start_server(&server);
	put("main.cf", main_cf, sizeof(main_cf) - 1);
	command = arena_printf(arena, "/usr/sbin/postmap -c %s -q alice "
	                       "socketmap:unix:%s:users", folder, path("s"));
	if (access("/usr/sbin/postmap", X_OK) == 0) {
		out = popen(command.p, "r");
		ck_assert(out != NULL);
		ck_assert(fgets(line, sizeof(line), out) != NULL);
		ck_assert_int_eq(pclose(out), 0);
		ck_assert_str_eq(line, "alice@example.org, b@example.n\n");
	} else {
		check_skip("postmap");
	}
	stop_server(&server);
	end(NULL);
}
END_TEST

/* ---- threads ---- */

struct crowd {
	const struct table *table;
	atomic_bool done;
	atomic_uint wrong;
};

/* While the file changes, each answer is of the one or of the other. */
static void *
ask_on(void *of)
{
	struct crowd *crowd = of;
	struct arena *a = arena_new(0);
	struct value v = text("a");
	struct table_answer answer;

	while (!atomic_load(&crowd->done)) {
		if (table_find(crowd->table, &v, &context, a, &answer)
		    != TABLE_YES || answer.n != 1 ||
		    (!span_is(answer.values[0], SPAN("before")) &&
		     !span_is(answer.values[0], SPAN("after"))))
			atomic_fetch_add(&crowd->wrong, 1);
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

static void
start_crowd(struct crowd *crowd, pthread_t threads[4])
{
	int i;

	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_on,
		                                crowd), 0);
}

static void
end_crowd(struct crowd *crowd, pthread_t threads[4])
{
	int i;

	atomic_store(&crowd->done, true);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&crowd->wrong), 0);
}

START_TEST(threads_go_on_asking_while_a_text_file_changes)
{
	struct crowd crowd = {0};
	pthread_t threads[4];
	struct table *t;

	begin();
	put("t", "a before\n", 9);
	crowd.table = t = table_file_watched("t", path("t"), nowhere, diags);
	table_ask_key(t, VALUE_TEXT, nowhere, diags);
	start_crowd(&crowd, threads);
	replace("a after\n");
	becomes(t, text("a"), "after");
	replace("\"a\n");
	replace("a before\n");
	becomes(t, text("a"), "before");
	end_crowd(&crowd, threads);
	end(t);
}
END_TEST

START_TEST(threads_go_on_asking_while_the_file_changes)
{
	struct crowd crowd = {0};
	pthread_t threads[4];
	struct table *t = NULL;

	begin();
	if (postmap("lmdb", "t", "a before\n")) {
		crowd.table = t = open_table("lmdb", "t");
		start_crowd(&crowd, threads);
		ck_assert(postmap("lmdb", "t", "a after\n"));
		becomes(t, text("a"), "after");
		ck_assert(postmap("lmdb", "t", "a before\n"));
		becomes(t, text("a"), "before");
		end_crowd(&crowd, threads);
	}
	end(t);
}
END_TEST

CHECK_MAIN("backend",
	a_file_that_postmap_wrote_as_lmdb_is_looked_up_as_a_file_table_is,
	a_file_that_postmap_wrote_as_cdb_is_looked_up_as_a_file_table_is,
	the_suffix_of_the_file_may_be_written_out,
	a_nul_behind_keys_and_values_makes_no_difference,
	ten_thousand_keys_and_values_longer_than_a_page_are_found,
	an_empty_map_has_no_key,
	a_file_written_anew_in_place_is_read_again,
	a_file_that_another_was_renamed_to_is_read_again,
	an_lmdb_file_cut_off_or_gone_fails_until_it_is_mended,
	a_cdb_file_cut_off_or_gone_fails_until_it_is_mended,
	a_damaged_lmdb_file_gives_an_error_or_an_answer,
	a_damaged_cdb_file_gives_an_error_or_an_answer,
	what_is_no_such_file_can_not_be_opened,
	a_text_file_is_read_again_when_it_changes,
	a_broken_text_file_leaves_the_old_entries_and_is_told_once,
	a_socketmap_server_is_asked_over_one_connection,
	a_socketmap_server_that_errs_fails_and_comes_back,
	a_slow_server_is_waited_for_no_longer_than_the_mta_waits,
	a_socketmap_server_may_be_started_anew,
	postmap_gets_the_same_from_the_socketmap_server,
	threads_go_on_asking_while_a_text_file_changes,
	threads_go_on_asking_while_the_file_changes)
