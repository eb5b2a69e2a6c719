/* test_sink.c - the log never holds up mail. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "check.h"
#include "setting.h"
#include "sink.h"

/* Standard error becomes a pipe; its other end. */
static int
pipe_stderr(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

START_TEST(a_line_is_a_line)
{
	int in = pipe_stderr();
	struct sink *s = sink_open(LOG_TO_STDERR);
	char got[256] = "";

	ck_assert_ptr_nonnull(s);
	sink_write(s, LOG_INFO, SPAN("100% of it"));
	sink_printf(s, LOG_INFO, "%d and %s", 1, "two");
	ck_assert_int_gt(read(in, got, sizeof(got) - 1), 0);
	ck_assert_str_eq(got, "100% of it\n1 and two\n");
	sink_close(s);
}
END_TEST

START_TEST(a_blocked_log_loses_lines_and_counts_them)
{
	int in = pipe_stderr(), i;
	struct sink *s = sink_open(LOG_TO_STDERR);
	static char got[1 << 20];
	char line[1000];
	size_t n = 0;
	ssize_t more;

	ck_assert_ptr_nonnull(s);
	memset(line, 'x', sizeof(line));
	for (i = 0; i < 1000; i++) /* far more than a pipe holds */
		sink_write(s, LOG_INFO, (struct span){line, sizeof(line)});
	fcntl(in, F_SETFL, O_NONBLOCK);
	while ((more = read(in, got, sizeof(got))) > 0)
		n += (size_t)more;
	ck_assert_uint_eq(n % (sizeof(line) + 1), 0); /* none by half */
	sink_write(s, LOG_INFO, SPAN("again"));
	memset(got, 0, sizeof(got));
	ck_assert_int_gt(read(in, got, sizeof(got) - 1), 0);
	snprintf(line, sizeof(line), "log lines lost while the log was "
	         "blocked: %zu\nagain\n", 1000 - n / (sizeof(line) + 1));
	ck_assert_str_eq(got, line);
	sink_close(s);
}
END_TEST

/* What syslogd does, in a folder of ours. */
static int
logger(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(a.sun_path, path);
	unlink(path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void
is_logged(int fd, const char *head, const char *tail)
{
	char got[512] = "";

	ck_assert_int_gt(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(strncmp(got, head, strlen(head)), 0);
	ck_assert_ptr_nonnull(strstr(got, tail));
}

START_TEST(syslog_may_come_late_block_and_start_anew)
{
	char dir[] = "/tmp/vaglio-test.XXXXXX", path[64];
	struct sink *s;
	char got[512];
	int fd, i;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	s = sink_open_at(LOG_TO_SYSLOG, path);
	ck_assert_ptr_nonnull(s);
	sink_write(s, LOG_INFO, SPAN("nobody hears this"));
	fd = logger(path);
	sink_write(s, LOG_WARNING, SPAN("first"));
	is_logged(fd, "<20>", "blocked: 1"); /* mail.warning */
	is_logged(fd, "<20>", "]: first");
	for (i = 0; i < 10000; i++)
		sink_write(s, LOG_INFO, SPAN("more than it takes"));
	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		;
	sink_write(s, LOG_INFO, SPAN("heard"));
	is_logged(fd, "<20>", "log lines lost");
	is_logged(fd, "<22>", "]: heard");
	close(fd);
	fd = logger(path);
	sink_write(s, LOG_INFO, SPAN("anew"));
	is_logged(fd, "<22>", "]: anew");
	close(fd);
	sink_close(s);
	unlink(path);
	rmdir(dir);
}
END_TEST

CHECK_MAIN("sink",
	a_line_is_a_line,
	a_blocked_log_loses_lines_and_counts_them,
	syslog_may_come_late_block_and_start_anew)
