#include <stdarg.h>
#include <stdio.h>

#include "fail.h"

int
fail(char why[512], int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, 512, format, ap);
	va_end(ap);
	return status;
}
