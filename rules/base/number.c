#include <stddef.h>

#include "ascii.h"
#include "number.h"

/* [ "+" | "-" ] DIGIT+ [ "." DIGIT* ], and nothing else: no strtod, which
 * would take "inf", "0x10" and the locale's comma. */
bool
number_parse(struct span s, double *out)
{
	double value = 0, unit = 1, sign = 1;
	size_t i = 0, digits = 0;

	s = span_trim(s);
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		sign = s.p[i++] == '-' ? -1 : 1;
	for (; i < s.n && ascii_is_digit(s.p[i]); i++, digits++)
		value = value * 10 + (s.p[i] - '0');
	if (digits == 0)
		return false;
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && ascii_is_digit(s.p[i]); i++)
			value += (unit /= 10) * (s.p[i] - '0');
	if (i != s.n)
		return false;
	*out = sign * value;
	return true;
}

struct unit {
	char letter;
	double factor;
};

static bool
parse_unit(struct span s, const struct unit *units, size_t n, double *out)
{
	double factor = 1;
	size_t i;

	for (i = 0; i < n && s.n > 0; i++) {
		if (s.p[s.n - 1] != units[i].letter)
			continue;
		factor = units[i].factor;
		s.n--;
		break;
	}
	if (s.n == 0 || !ascii_is_digit(s.p[0]) || !number_parse(s, out))
		return false;
	*out *= factor;
	return true;
}

bool
number_parse_size(struct span s, double *out)
{
	static const struct unit units[] = {
		{'K', 1024.0}, {'M', 1048576.0}, {'G', 1073741824.0},
	};

	return parse_unit(s, units, 3, out);
}

bool
number_parse_time(struct span s, double *out)
{
	static const struct unit units[] = {
		{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400},
	};

	return parse_unit(s, units, 4, out);
}

bool
number_parse_octal(struct span s, double *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '7')
			return false;
		*out = *out * 8 + (s.p[i] - '0');
	}
	return s.n > 0 && s.n <= 5;
}
