#include "subject.h"

static const struct subject rows[] = {
#define ROW(id, name, getter, part, type, stage, argument, flags, cost, fixed, macros) \
	{name, SUBJECT_##id, PART_##part, VALUE_##type, STAGE_##stage,                  \
	 ARGUMENT_##argument, flags, COST_##cost, fixed, macros},
	SUBJECT_TABLE(ROW)
#undef ROW
};

const struct subject *
subject_find(struct span name)
{
	size_t i;

	for (i = 0; i < SUBJECTS; i++)
		if (span_is(name, span_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

const struct subject *
subject_row(enum subject_id id)
{
	return &rows[id];
}
