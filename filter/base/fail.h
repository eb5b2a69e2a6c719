/* fail.h - what kept the filter from starting. */
#ifndef FAIL_H
#define FAIL_H

/* Returns status, one of sysexits.h; why says it in words, cut if need be. */
__attribute__((format(printf, 3, 4)))
int fail(char why[512], int status, const char *format, ...);

#endif
