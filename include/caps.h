/* caps.h - every limit, with its reason. */
#ifndef CAPS_H
#define CAPS_H

#define CAPS_DIAGS 100              /* more errors than that nobody reads */
#define CAPS_POLICY_BYTES (64 << 20) /* a policy file; data belongs in tables */
#define CAPS_INCLUDE_DEPTH 16       /* includes in includes: deeper is a mistake */
#define CAPS_EXPR_DEPTH 200         /* nested conditions: the parser recurses */
#define CAPS_EXPR_TERMS 5000        /* in one condition: its tree is walked; more is a table */
#define CAPS_LIMIT_VALUES 50        /* keys of one limit in a message, for each of which somebody is asked */
#define CAPS_NODES 100000           /* in one condition, its defines put in: asked for each message */
#define CAPS_NODE_DEPTH 8000        /* how deep it then is: it is walked by recursion */
#define CAPS_FILL 2000              /* bytes that one ${...} fills in */
#define CAPS_MATCH_HEAP_KIB 20000   /* PCRE2's heap for one match; its default is 20 MB */
#define CAPS_SHORT_TEXT (64 << 10)  /* a text for which no clock is watched: the square of it is half a second */
#define CAPS_FOLD_LETTERS (512 << 10) /* that are not of ASCII words, in what one condition folds: half a second */
#define CAPS_COMPARE_BYTES (4ull << 30) /* looked at to compare values with values: a second's work */
#define CAPS_MATCH_SECONDS 1        /* CPU time of one match in a longer text; the MTA waits 30 s for all */
#define CAPS_MATCH_WORK 8            /* seconds that all matches of a message take: with archives and look-ups within the MTA's 30 */
#define CAPS_REPLY_LINE 400         /* RFC 5321 4.5.3.1.5 allows 512 with code and CRLF */
#define CAPS_REPLY_LINES 32         /* libmilter's own limit */
#define CAPS_ADDRESS 1024           /* RFC 5321 4.5.3.1.3 says 256; longer are bad */
#define CAPS_RCPTS 50000            /* Postfix' smtpd_recipient_overshoot_limit and more */
#define CAPS_HEADER_FIELDS 10000    /* a header's fields; more is an attack */
#define CAPS_HEADER_BYTES (4 << 20) /* a whole header; Sendmail stops at 32 kB, Postfix at 100 kB a field */
#define CAPS_FIELD_WORDS 20000      /* words or addresses read in one field */
#define CAPS_MIME_DEPTH 100         /* parts in parts, messages in messages; Postfix stops there, too */
#define CAPS_MIME_PARTS 10000       /* a digest has some hundreds */
#define CAPS_MIME_PARAMS 200        /* of one field, and names of one part; a name of 4 kB in RFC 2231 has 60 */
#define CAPS_MIME_FIELD (256 << 10) /* bytes of one field of a part; Postfix stops at 100 kB */
#define CAPS_MIME_TEXT (24 << 20)   /* decoded text of a message: kept up to four times while it is compared */
#define CAPS_HTML_BYTES (64 << 20)  /* the tree of an HTML text, while it is read; of common HTML of 4 MB */
#define CAPS_HTML_SECONDS 1         /* CPU time for all HTML of a message; 1 MB takes 70 ms */
#define CAPS_CSS_NAMES 20000        /* that style sheets hide: a newsletter has some dozens */
#define CAPS_BODY_TEXT (256 << 10)  /* a file that is put into each message: a disclaimer has some kB */
#define CAPS_MIME_LINKS 20000       /* URLs in the texts of a message; a newsletter has some hundreds */
#define CAPS_MAGIC_BYTES (64 << 10)  /* of an attachment, to see what it is; what tells kinds apart stands in the first kB */
#define CAPS_ARCHIVE_DEPTH 5        /* archives in archives; people send two */
#define CAPS_ARCHIVE_MEMBERS 10000  /* files in all archives of a message; a source tree has some thousands */
#define CAPS_ARCHIVE_BYTES (256 << 20) /* unpacked for a message: of each file its begin, of archives all */
#define CAPS_ARCHIVE_SECONDS 5      /* CPU time of that; 256 MB of xz take two */
#define CAPS_ARCHIVE_MEMORY (400 << 20) /* that its process may have: an archive in an archive, and a dictionary of 7z */
#define CAPS_APART 4                /* such processes at a time */
#define CAPS_APART_SECONDS 10       /* by the clock, to wait for one and for its end; the MTA waits 30 s */
#define CAPS_BODY_MEMORY (1 << 20)  /* of a body; a larger one is in a file: few are, and the disk takes it in stride */
#define CAPS_MESSAGE_BYTES (128 << 20) /* what is kept of a message beside its body */
#define CAPS_LOG_FIELD 256          /* bytes of one text in a log line; rsyslog cuts a line at 8 kB */
#define CAPS_LOG_REPLY 1024         /* of a reply or a log action's text there */
#define CAPS_DNS_CACHE (16 << 20)   /* what is kept of the DNS: some 50,000 answers */
#define CAPS_SERVER_SECONDS 3       /* for a server to answer for one value; "vaglio doctor" adds up a policy's servers */
#define CAPS_SERVERS_SECONDS 10     /* that servers of tables and limits are waited for before the MTA has its answer: it waits 30 s */
#define CAPS_REDIS_BYTES (1 << 20)  /* of one answer of a Redis server */
#define CAPS_REDIS_VALUES 10000     /* values in it: more belong in keys */
#define CAPS_NOTICES 100            /* notices that wait to be sent */
#define CAPS_NOTICE_TURNS 10000     /* rules, addresses and logins that had theirs */
#define CAPS_CONNECTION_BYTES (1 << 20) /* what a session keeps between messages */
#define CAPS_SESSIONS 20000         /* MTA connections at a time; an idle one costs some kB */
#define CAPS_BACKLOG 1024           /* connections that wait to be accepted */
#define CAPS_MILTER_IDLE 7200       /* s; an MTA is silent while a slow client sends DATA */

#endif

