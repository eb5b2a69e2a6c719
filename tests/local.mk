# Unit tests: one program a module, tests/test_MODULE.c, with libcheck.
EXTRA_DIST += tests/check.h
TESTS += $(check_PROGRAMS)
