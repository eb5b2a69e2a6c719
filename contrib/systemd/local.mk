# Units, and the user that they run the filter as.
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
nodist_systemdunit_DATA = contrib/systemd/vaglio.service \
	contrib/systemd/vaglio@.service
dist_systemdunit_DATA = contrib/systemd/vaglio.socket
nodist_sysusers_DATA = contrib/systemd/vaglio.conf
EXTRA_DIST += contrib/systemd/vaglio.service.in \
	contrib/systemd/vaglio@.service.in contrib/systemd/vaglio.sysusers
CLEANFILES += $(nodist_systemdunit_DATA) $(nodist_sysusers_DATA)

fill_unit = $(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	sed -e 's|[@]sbindir[@]|$(sbindir)|g' \
		-e 's|[@]sysconfdir[@]|$(sysconfdir)|g' \
		$(srcdir)/$@.in >$@.new && mv $@.new $@

contrib/systemd/vaglio.service: contrib/systemd/vaglio.service.in Makefile
	$(fill_unit)

contrib/systemd/vaglio@.service: contrib/systemd/vaglio@.service.in Makefile
	$(fill_unit)

contrib/systemd/vaglio.conf: contrib/systemd/vaglio.sysusers
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	cp $(srcdir)/contrib/systemd/vaglio.sysusers $@
