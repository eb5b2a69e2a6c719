# What administrators begin with, beside the manual.
policiesdir = $(docdir)/policies
dist_policies_DATA = contrib/policies/archive.eml contrib/policies/blocked \
	contrib/policies/closed contrib/policies/delegates \
	contrib/policies/domains contrib/policies/example.conf \
	contrib/policies/footer contrib/policies/inbound.conf \
	contrib/policies/inside contrib/policies/logins \
	contrib/policies/loop.eml contrib/policies/moved \
	contrib/policies/outbound.conf contrib/policies/people \
	contrib/policies/program.eml contrib/policies/relay.conf \
	contrib/policies/senders contrib/policies/trusted-lists
postfixdir = $(docdir)/postfix
dist_postfix_DATA = contrib/postfix/main.cf contrib/postfix/master.cf
sendmaildir = $(docdir)/sendmail
dist_sendmail_DATA = contrib/sendmail/policies.mc contrib/sendmail/vaglio.mc
dist_doc_DATA = README.md
