/* program.c - what several ask of a program. */
#include "backend.h"
#include "program.h"

size_t
piece_ask(const struct piece *p)
{
	if (p->kind == PIECE_ASK)
		return p->ask;
	return p->kind == PIECE_LOOKUP ? p->lookup.ask : NO_ASK;
}

bool
program_any_leaf(const struct program *p, size_t node,
                 bool (*is_meant)(const struct program *p,
                                  const struct node *leaf, size_t of),
                 size_t of)
{
	const struct node *n;

	if (node == NO_NODE)
		return false;
	n = &p->nodes[node];
	if (n->kind > NODE_NOT)
		return is_meant(p, n, of);
	return program_any_leaf(p, n->left, is_meant, of) ||
	       (n->kind != NODE_NOT &&
	        program_any_leaf(p, n->right, is_meant, of));
}

bool
program_asks_net(const struct program *p, size_t table)
{
	const struct ast_table *t = p->tables[table].ast;
	const struct backend *b = t == NULL || t->backend.p == NULL
	                          ? NULL : backend_find(t->backend);

	return b != NULL && b->cost == COST_NET;
}

enum stage
program_first_refusal(const struct program *p)
{
	static const enum stage stages[] = {
		[FIRST_REFUSAL_CONNECT] = STAGE_CONNECT,
		[FIRST_REFUSAL_MAIL] = STAGE_MAIL,
		[FIRST_REFUSAL_RCPT] = STAGE_RCPT,
	};

	return stages[(size_t)p->settings.first_refusal.number];
}
