# For contrib/demo and contrib/check, which read this file.
# Debian's packages, and builds in folders of their own.

top=$(cd "$(dirname "$0")/.." && pwd)
export LC_ALL=C.UTF-8

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# need_packages FILE...: installs what is missing of the packages in them.
need_packages() {
	missing=
	for package in $(cat "$@"); do
		# The pattern prefilter is not there on every machine.
		case $package in libhyperscan-dev)
			case $(dpkg --print-architecture) in
			amd64 | i386) ;;
			*) continue ;;
			esac ;;
		esac
		case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
		*' installed') ;;
		*) missing="$missing $package" ;;
		esac
	done
	test -z "$missing" || install_packages $missing
}

# No daemon is started by an installation, and no question asked: Postfix is
# there for its programs only.
install_packages() {
	test "$(id -u)" = 0 || die "these packages are missing:$*"
	echo "installing:" "$@"
	policy=/usr/sbin/policy-rc.d
	if test ! -e $policy; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
		trap 'exit 130' INT TERM
	else
		policy=
	fi
	export DEBIAN_FRONTEND=noninteractive
	case " $* " in *' postfix '*)
		echo 'postfix postfix/main_mailer_type select No configuration' |
			debconf-set-selections ;;
	esac
	apt-get -qq update &&
		apt-get -qq -y --no-install-recommends \
			-o DPkg::Lock::Timeout=120 install "$@" >/dev/null ||
		die "apt-get could not install$missing"
	if test -n "$policy"; then
		rm -f $policy
		trap - EXIT INT TERM
	fi
}

# A configure for this source.
make_configure() {
	test ! -e "$top/config.status" ||
		die "this source is built in place: make distclean first"
	test -x "$top/configure" &&
		test -z "$(find "$top" -name '*.am' -newer "$top/configure" \
			-o -name '*.mk' -newer "$top/configure" \
			-o -name configure.ac -newer "$top/configure")" ||
		(cd "$top" && autoreconf -fi) || die "autoreconf failed"
}
