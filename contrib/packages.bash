# packages - the distribution's packages that building and testing need, and installing them. Sourced by the scripts beside it.
# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash disable=SC2034

# One row a thing needed: how to see that it is here, then its package for apt, dnf and brew ("-" where it comes with the system).
packages_build='
command:autoconf      autoconf         autoconf          autoconf
command:automake      automake         automake          automake
command:libtoolize    libtool          libtool           libtool
command:make          make             make              make
command:cc            gcc              gcc               -
command:pkg-config    pkg-config       pkgconf-pkg-config pkg-config
header:stdio          libc6-dev        glibc-devel       -
module:libzmq         libzmq3-dev      zeromq-devel      zeromq
module:libpcre2-8     libpcre2-dev     pcre2-devel       pcre2
module:libxxhash      libxxhash-dev    xxhash-devel      xxhash
module:libzstd        libzstd-dev      libzstd-devel     zstd
module:zlib           zlib1g-dev       zlib-devel        zlib
module:libcurl        libcurl4-openssl-dev libcurl-devel curl
'
packages_test='
module:cmocka         libcmocka-dev    libcmocka-devel   cmocka
module:jansson        libjansson-dev   jansson-devel     jansson
command:bats          bats             bats              bats-core
command:jq            jq               jq                jq
command:python3       python3          python3           python3
python:zmq            python3-zmq      python3-zmq       -
command:strace        strace           strace            -
command:faketime      faketime         libfaketime       libfaketime
command:xxhsum        xxhash           xxhash            xxhash
command:valgrind      valgrind         valgrind          -
command:readelf       binutils         binutils          binutils
command:ctags         universal-ctags  ctags             universal-ctags
command:mandoc        mandoc           mandoc            mandoc
command:shellcheck    shellcheck       ShellCheck        shellcheck
command:supervisord   supervisor       supervisor        supervisor
command:systemd-analyze systemd        systemd           -
command:xz            xz-utils         xz                xz
command:git           git              git               git
command:node          nodejs           nodejs            node
command:npm           npm              npm               node
command:curl          curl             curl              curl
command:openssl       openssl          openssl           openssl
command:javac         default-jdk-headless java-devel      openjdk
command:mvn           maven            maven             maven
command:kinit         krb5-user        krb5-workstation  krb5
command:redis-server  redis-server     redis             redis
command:lognormalizer liblognorm-utils liblognorm  -
python:ensurepip      python3-venv     python3           python3
python:jsonschema     python3-jsonschema python3-jsonschema -
file:/usr/bin/time    time             time              -
command:pylint        pylint           pylint            pylint
command:clang         clang            clang             llvm
clang:thread          libclang-rt-dev  compiler-rt       llvm
'
packages_long='
command:qemu-aarch64  qemu-user        -                 -
command:aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu - -
file:/usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross - -
'

packages_here() {
	local name=${1#*:}
	case $1 in
	command:*) command -v "$name" >/dev/null 2>&1 ;;
	module:*) pkg-config --exists "$name" 2>/dev/null ;;
	header:*) printf '#include <%s.h>\n' "$name" | cc -E - >/dev/null 2>&1 ;;
	python:*) python3 -c "import $name" >/dev/null 2>&1 ||
		/usr/bin/python3 -c "import $name" >/dev/null 2>&1 ;;
	file:*) [ -e "$name" ] ;;
	clang:*) echo 'int main(void) { return 0; }' | clang "-fsanitize=$name" -xc - -o /dev/null >/dev/null 2>&1 ;;
	esac
}

packages_manager() {
	local one
	for one in apt-get dnf brew; do command -v "$one" >/dev/null 2>&1 && { echo "$one"; return; }; done
	echo none
}

# packages_missing ROWS...: the names of the missing packages, as this system calls them.
packages_missing() {
	local what apt dnf brew
	printf '%s\n' "$@" | while read -r what apt dnf brew; do
		[ -n "$what" ] && ! packages_here "$what" || continue
		case $(packages_manager) in
		dnf) echo "$dnf" ;;
		brew) echo "$brew" ;;
		*) echo "$apt" ;;
		esac
	done | grep -vx -- - | sort -u | tr '\n' ' '
}

# packages_install ROWS...: installs what is missing, as root or through sudo. False, having named the packages, if it cannot.
packages_install() {
	local missing manager root=''
	missing=$(packages_missing "$@")
	[ -n "${missing// /}" ] || return 0
	manager=$(packages_manager)
	if [ "$manager" = apt-get ] || [ "$manager" = dnf ]; then
		if [ "$(id -u)" -eq 0 ]; then root='env'
		elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then root='sudo env'
		else
			echo "These packages are needed, and installing them needs root or sudo:" >&2
			echo "    $manager install $missing" >&2
			return 1
		fi
	fi
	[ "$manager" = none ] || echo "Installing with $manager: $missing"
	# shellcheck disable=SC2086
	case $manager in
	apt-get) $root apt-get -qq update && $root DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null ;;
	dnf) $root dnf -q install -y $missing ;;
	brew) brew install -q $missing ;;
	*)
		echo "No apt-get, dnf or brew here. Please install these (Debian's names) and run this again:" >&2
		echo "    $missing" >&2
		return 1
		;;
	esac
}
