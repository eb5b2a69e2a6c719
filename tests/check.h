/*
 * check.h - a unit test is a file of START_TEST(a_sentence) and a main:
 *
 *	CHECK_MAIN("span", a_sentence, another)
 *
 * A test that can't be done here says check_skip("what it lacks"): if none
 * fails, the file as a whole is reported as skipped.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHECK_SKIPPED 77 /* of Automake */
#define CHECK_LACKS 256

/* Shared with each test's process. */
static char *check_lacks;

static inline void
check_skip(const char *what)
{
	if (check_lacks != NULL)
		snprintf(check_lacks, CHECK_LACKS, "%s", what);
}

static inline void
check_begin(void)
{
	void *shared = mmap(NULL, CHECK_LACKS, PROT_READ | PROT_WRITE,
	                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared != MAP_FAILED)
		check_lacks = shared;
}

static inline int
check_end(int failed)
{
	if (failed > 0)
		return EXIT_FAILURE;
	if (check_lacks == NULL || *check_lacks == '\0')
		return EXIT_SUCCESS;
	printf("some were skipped: %s is not here\n", check_lacks);
	return CHECK_SKIPPED;
}

#define CHECK_MAIN(name, ...)                                               \
	int                                                                 \
	main(void)                                                          \
	{                                                                   \
		const TTest *const tests[] = {__VA_ARGS__};                 \
		Suite *suite = suite_create(name);                          \
		TCase *tcase = tcase_create(name);                          \
		SRunner *runner;                                            \
		size_t i;                                                   \
		int failed;                                                 \
                                                                            \
		check_begin();                                              \
		tcase_set_timeout(tcase, 60);                               \
		for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)      \
			tcase_add_test(tcase, tests[i]);                    \
		suite_add_tcase(suite, tcase);                              \
		runner = srunner_create(suite);                             \
		srunner_run_all(runner, CK_NORMAL);                         \
		failed = srunner_ntests_failed(runner);                     \
		srunner_free(runner);                                       \
		return check_end(failed);                                   \
	}

#endif
