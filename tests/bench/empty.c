/*
 * empty.c - a filter that does nothing, as a yardstick.
 *
 *	empty -p SOCKET [-s STEPS] [-a ACTIONS]
 *
 * STEPS are the SMFIP_ flags that it asks for (hexadecimal; default 0: every
 * packet is sent and answered), ACTIONS the SMFIF_ flags. It takes all that
 * the flags let come, and lets everything in. SIGTERM ends it.
 */
#include "config.h"

#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static unsigned long steps, actions;

static sfsistat
negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
          unsigned long f3, unsigned long *p0, unsigned long *p1,
          unsigned long *p2, unsigned long *p3)
{
	(void)ctx, (void)f2, (void)f3;
	*p0 = f0 & actions;
	*p1 = f1 & steps;
	*p2 = *p3 = 0;
	return SMFIS_CONTINUE;
}

/* A callback goes on, or gives no reply if that was agreed. */
static sfsistat
go_on(unsigned long no_reply)
{
	return (steps & no_reply) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
take_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	(void)ctx, (void)name, (void)address;
	return go_on(SMFIP_NR_CONN);
}

static sfsistat
take_helo(SMFICTX *ctx, char *helo)
{
	(void)ctx, (void)helo;
	return go_on(SMFIP_NR_HELO);
}

static sfsistat
take_mail(SMFICTX *ctx, char **argv)
{
	(void)ctx, (void)argv;
	return go_on(SMFIP_NR_MAIL);
}

static sfsistat
take_rcpt(SMFICTX *ctx, char **argv)
{
	(void)ctx, (void)argv;
	return go_on(SMFIP_NR_RCPT);
}

static sfsistat
take_data(SMFICTX *ctx)
{
	(void)ctx;
	return go_on(SMFIP_NR_DATA);
}

static sfsistat
take_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx, (void)name, (void)value;
	return go_on(SMFIP_NR_HDR);
}

static sfsistat
take_eoh(SMFICTX *ctx)
{
	(void)ctx;
	return go_on(SMFIP_NR_EOH);
}

static sfsistat
take_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	(void)ctx, (void)chunk, (void)n;
	return go_on(SMFIP_NR_BODY);
}

static sfsistat
take_end(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static int
usage(void)
{
	fputs("usage: empty -p SOCKET [-s STEPS] [-a ACTIONS]\n", stderr);
	return EX_USAGE;
}

static int
serve(char *where)
{
	struct smfiDesc filter = {
		.xxfi_name = (char[]){"empty"},
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = actions,
		.xxfi_connect = take_connect,
		.xxfi_helo = take_helo,
		.xxfi_envfrom = take_mail,
		.xxfi_envrcpt = take_rcpt,
		.xxfi_header = take_header,
		.xxfi_eoh = take_eoh,
		.xxfi_body = take_body,
		.xxfi_eom = take_end,
		.xxfi_data = take_data,
		.xxfi_negotiate = negotiate,
	};

	if (smfi_register(filter) != MI_SUCCESS ||
	    smfi_setconn(where) != MI_SUCCESS ||
	    smfi_opensocket(true) != MI_SUCCESS)
		return EX_UNAVAILABLE;
	return smfi_main() == MI_SUCCESS ? EXIT_SUCCESS : EX_SOFTWARE;
}

int
main(int argc, char **argv)
{
	char *where = NULL;
	int c;

	while ((c = getopt(argc, argv, "p:s:a:")) != -1)
		switch (c) {
		case 'p':
			where = optarg;
			break;
		case 's':
			steps = strtoul(optarg, NULL, 16);
			break;
		case 'a':
			actions = strtoul(optarg, NULL, 16);
			break;
		default:
			return usage();
		}
	if (where == NULL || optind != argc)
		return usage();
	return serve(where);
}
