# libmetlog.bats - the installed library: how a program finds it, what is visible of it, and what may not change.
# SPDX-License-Identifier: MPL-2.0

# All tests use one installation, made once, in a directory of its own.
setup_file() {
	load helper
	make_build install DESTDIR="$BATS_FILE_TMPDIR/root" >"$BATS_FILE_TMPDIR/install.log" 2>&1 || { tail -20 "$BATS_FILE_TMPDIR/install.log" >&2; return 1; }
}

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	root=$BATS_FILE_TMPDIR/root data=$SOURCE/tests/data/libmetlog
	libdir=$root$(pc_value libdir) header=$SOURCE/libcommon/client/metlog.h
	warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
}

# make_build TARGET...: make in the build directory, as a person would run it.
make_build() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$TOOLS/.." "$@"
}

# pc_value NAME: a variable of the metlog.pc that was built.
pc_value() {
	PKG_CONFIG_LIBDIR=$TOOLS/.. pkg-config --variable="$1" metlog
}

# metlog_flags OPTION...: what pkg-config says of the library as it is installed here.
metlog_flags() {
	PKG_CONFIG_LIBDIR=$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root pkg-config "$@" metlog
}

need_shared() {
	need readelf nm pkg-config cc
	[ -e "$libdir/libmetlog.so" ] || skip "configured with --disable-shared"
	! sanitized || skip "a sanitizer build"
}

need_static() {
	need nm pkg-config cc
	[ -e "$libdir/libmetlog.a" ] || skip "configured with --disable-static, or without objcopy"
	! sanitized || skip "a sanitizer build"
}

# build PROGRAM SOURCE COMPILER...: compiles and links by what pkg-config says, and nothing else.
build() {
	local program=$1 source=$2 flags libs
	shift 2
	read -ra flags < <(metlog_flags --cflags)
	read -ra libs < <(metlog_flags --libs)
	"$@" "${warnings[@]}" "${flags[@]}" -o "$program" "$source" "${libs[@]}"
}

# run_shared PROGRAM ARGUMENT...: with the library that is installed here.
run_shared() {
	LD_LIBRARY_PATH=$libdir "$@"
}

# The functions that the header declares and the library has to have.
header_functions() {
	grep -vE '^(static|#|inline)' "$header" | grep -oE '^[a-z][a-z0-9_ ]*[ *]metlog_[a-z_]+\(' | grep -oE 'metlog_[a-z_]+\($' | tr -d '(' | sort -u
}

exported() {
	nm -D --defined-only "$libdir/libmetlog.so.0" | awk '$2 != "A" { print $3 }' | sed 's/@@/ /' | sort
}

# all_have_come FILE: what tests/data/libmetlog/program.c sends has come, as envelopes.
all_have_come() {
	local got
	got=$(jq -r '[.type, .severity, .logger, .metlog_hostname, .env_version] | join(" ")' "$1")
	[ "$got" = "order 5 shop web1 0.8
counter 6 shop web1 0.8
gauge 6 shop web1 0.8
set 6 shop web1 0.8
timer 6 shop web1 0.8
timer 6 shop web1 0.8
oldstyle 4 shop web1 0.8
oldstyle 3 shop web1 0.8
cef 6 shop web1 0.8
sentry 3 shop web1 0.8" ] || fail "came: $got"
	expect_in "$1" '"payload":"paid","fields":{"order":4711,"total":0.1,"new":true,"user":"ada","list":[1,2],"none":null,"big":18446744073709551615,"part":"abc","tags":{"currency":"EUR"}}'
	metlog-tail --json --strict "$1" >checked
	expect_same "$1" checked
}

@test "a C program finds header and library by pkg-config, and its messages arrive" {
	need_shared
	need jq
	for standard in c99 c11 gnu17; do
		build program "$data/program.c" cc -std=$standard
		separately run_shared ./program "file:$PWD/$standard.ndjson"
		expect_status 0
		[ "$(cat "$out")" = "taken 10 sent 10 unsent 0" ] || fail "$(cat "$out")"
		expect_empty "$err"
		all_have_come $standard.ndjson
	done
}

@test "a C++ program uses the same header, from C++11 on" {
	need_shared
	need jq c++
	for standard in c++11 c++17; do
		build program "$data/program.c" c++ -x c++ -std=$standard -x none -Wl,-rpath,"$libdir" -x c++
		separately ./program "file:$PWD/$standard.ndjson"
		expect_status 0
		all_have_come $standard.ndjson
	done
}

@test "the library tells its version at run time, which is that of the header and of pkg-config" {
	need_shared
	printf '#include <metlog.h>\n#include <stdio.h>\nint main(void) { return printf("%%s %%s\\n", metlog_version(), METLOG_VERSION) < 0; }\n' >version.c
	build version version.c cc -std=c11
	version=$(metlog_flags --modversion)
	[ "$(run_shared ./version)" = "$version $version" ] || fail "$(run_shared ./version), and of pkg-config $version"
}

@test "clang takes the header as gcc does" {
	need_shared
	need clang
	for language in "-x c -std=c99" "-x c -std=c17" "-x c++ -std=c++11" "-x c++ -std=c++20"; do
		# shellcheck disable=SC2086,SC2046
		clang $language "${warnings[@]}" $(metlog_flags --cflags) -c -o program.o "$data/program.c"
	done
	printf '#include <metlog.h>\nint main() { return metlog_count(nullptr, "n", 1, 1.0, METLOG_FIELDS(metlog_field_int("a", 1))) != METLOG_CLOSED; }\n' >strict.cc
	# shellcheck disable=SC2046
	clang -x c++ -std=c++11 "${warnings[@]}" -Wold-style-cast -Wzero-as-null-pointer-constant -Wsign-conversion -Wcast-qual $(metlog_flags --cflags) -c -o strict.o strict.cc
}

@test "the header is complete by itself, and fits a program that hides all its names" {
	need_shared
	printf '#include <metlog.h>\nint main(void) { return metlog_flush(NULL, 0); }\n' >alone.c
	build alone alone.c cc -std=c11 -fvisibility=hidden -Wmissing-prototypes -Wundef
	run_shared ./alone
}

@test "a program can be linked with libmetlog.a" {
	need_static
	need jq
	mkdir only && cp "$libdir/libmetlog.a" only # no shared library beside it
	# shellcheck disable=SC2046
	cc -std=c11 "${warnings[@]}" $(metlog_flags --cflags) -o program "$data/program.c" -Lonly $(metlog_flags --libs --static | sed "s,-L$libdir,,")
	[ -z "$(ldd program | grep libmetlog)" ] || fail "$(ldd program)"
	separately ./program "file:$PWD/static.ndjson"
	expect_status 0
	all_have_come static.ndjson
}

@test "a program may call its own functions as libmetlog calls those inside it, and libmetlog does not notice" {
	need_static
	need_shared
	build shared "$data/clash.c" cc -std=c11 -rdynamic -Wno-error
	# shellcheck disable=SC2046
	cc -std=c11 $(metlog_flags --cflags) -o static "$data/clash.c" "$libdir/libmetlog.a" -pthread -ldl -lm
	run_shared ./shared "file:$PWD/shared.ndjson"
	./static "file:$PWD/static.ndjson"
	[ "$(wc -l <shared.ndjson)" -eq 1 ]
	[ "$(wc -l <static.ndjson)" -eq 1 ]
}

@test "of libmetlog.a nothing is visible but what the shared library exports" {
	need_static
	nm -g --defined-only "$libdir/libmetlog.a" | awk 'NF == 3 { print $3 }' | sort >archive
	[ -s archive ]
	cut -d' ' -f1 "$SOURCE/tests/data/libmetlog.symbols" | expect_same archive /dev/stdin
}

@test "the shared library exports the functions of the header, each with its version, and nothing else" {
	need_shared
	exported >exported
	expect_same "$SOURCE/tests/data/libmetlog.symbols" exported
	header_functions | sed 's/$/ METLOG_0/' >declared
	expect_same declared exported
}

@test "metlog(3) describes each function, and none that is not there" {
	sed -nE 's/^\.F[no] "?\*?(metlog_[a-z_]+).*/\1/p' "$SOURCE/man/metlog.3" | sort -u >described
	{
		header_functions
		grep -oE '^static inline struct metlog_field metlog_[a-z_]+\(' "$header" | grep -oE 'metlog_[a-z]+(_[a-z]+)*\($' | tr -d '('
		grep -oE '^#define metlog_[a-z]+\(' "$header" | grep -oE 'metlog_[a-z]+'
	} | grep -vx metlog_field_of | sort -u >declared
	expect_same declared described
}

@test "metlog(3) names each option, result and constant of the header" {
	sed -nE '/^struct metlog_(options|message|counts|fault|cef_event) \{/,/^\}/{ s,/\*.*,,; s,[][();],,g; s,^struct .*,,; s,^\t[a-z].*[ *]([a-z_]+)(\[.*)?$,\1,p; s,^\t[a-z0-9_ *]*[ *]([a-z_]+) *$,\1,p }' "$header" | sort -u >names
	grep -oE '\<METLOG_[A-Z_]+\>' "$header" | grep -vE '^METLOG_(H|PRINTF|KIND_[A-Z]+|OPTIONS)$' | sort -u >>names
	[ "$(wc -l <names)" -gt 30 ]
	missing=$(while read -r name; do grep -qE "(^|[^A-Za-z_])$name([^A-Za-z_]|\$)" "$SOURCE/man/metlog.3" || echo "$name"; done <names)
	[ -z "$missing" ] || fail "man/metlog.3 does not name: $missing"
}

@test "the structs of the ABI lie as they did" {
	need_shared
	[ "$(getconf LONG_BIT)" -eq 64 ] || skip "the layout is written down for 64 bits"
	build layout "$data/layout.c" cc -std=c11
	run_shared ./layout >layout.out
	expect_same "$SOURCE/tests/data/libmetlog.layout" layout.out
}

@test "a program that was compiled with an older header, or a newer one, goes on working" {
	need_shared
	cat >other.c <<-'END'
		#include <metlog.h>
		int main(int argc, char **argv)
		{
			struct { struct metlog_options options; char behind[64]; } other;
			size_t size = argc > 2 ? sizeof other : offsetof(struct metlog_options, when_full);
			struct metlog_fault fault;

			memset(&other, 0x5a, sizeof other);
			metlog_options_init(&other.options, size);
			for (const char *at = (const char *)&other + size; at < (const char *)(&other + 1); at++)
				if (*at != 0x5a)
					return 1;
			other.options.logger = "other";
			other.behind[1] = argc > 3;
			struct metlog *m = metlog_open(argc > 1 ? argv[1] : "", &other.options, &fault);
			if (m == NULL)
				return fault.status;
			metlog_info(m, "hello");
			return metlog_close(m, -1, NULL) == 0 ? 0 : 2;
		}
	END
	build other other.c cc -std=c11
	run_shared ./other "file:$PWD/older.ndjson"
	expect_in older.ndjson '"logger":"other"'
	run_shared ./other "file:$PWD/newer.ndjson" newer
	expect_in newer.ndjson '"logger":"other"'
	separately run_shared ./other "file:$PWD/never.ndjson" newer 'and asks for what is not there'
	expect_status 78
}

@test "the shared library is libmetlog.so.0, and needs nothing but the C library" {
	need_shared
	readelf -dW "$libdir/libmetlog.so" >dynamic
	expect_in dynamic 'Library soname: [libmetlog.so.0]'
	others=$(sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' dynamic | grep -vE '^(libc|libm|libpthread|libdl|ld-linux.*)\.so\.' || true)
	[ -z "$others" ] || fail "it needs $others"
	[ -z "$(metlog_flags --print-requires --print-requires-private)" ] || fail "metlog.pc asks for other packages"
}

@test "the shared library is hardened: position independent, RELRO, immediate binding, no executable stack" {
	need_shared
	readelf -dW "$libdir/libmetlog.so" >dynamic
	readelf -lW "$libdir/libmetlog.so" >segments
	expect_in segments GNU_RELRO
	grep -q 'GNU_STACK.* RW ' segments || fail "executable stack"
	grep -qE 'BIND_NOW|FLAGS.*NOW' dynamic || fail "lazy binding"
	if grep -q TEXTREL dynamic; then fail "text relocations"; fi
	readelf -sW "$libdir/libmetlog.so" | grep -q __stack_chk_fail || fail "no stack protector"
}

@test "a plug-in host loads and unloads the library again and again, with threads that outlive it" {
	need_shared
	# shellcheck disable=SC2046
	cc -std=c11 -D_GNU_SOURCE "${warnings[@]}" $(metlog_flags --cflags) -o loaded "$data/loaded.c" -ldl -pthread
	separately run_shared ./loaded libmetlog.so.0 "file:$PWD/loaded.ndjson" 20
	expect_status 0
	[ "$(wc -l <loaded.ndjson)" -eq 40 ] || fail "$(wc -l <loaded.ndjson) of 40 lines"
}

@test "a close does not wait for a name that takes long to look up, and unloading the library then takes nothing from under its thread" {
	need_shared
	# shellcheck disable=SC2046
	cc -std=c11 -D_GNU_SOURCE "${warnings[@]}" $(metlog_flags --cflags) -rdynamic -o orphan "$data/orphan.c" -ldl -pthread
	separately run_shared timeout 60 ./orphan libmetlog.so.0
	expect_status 0
	[ "$(cat "$out")" = "close -1 unsent 1" ] || fail "$(cat "$out")"
}

@test "the example of metlog(3) is contrib/examples/shop.c, and does what the page says" {
	need_shared
	need jq
	awk '/^\.Sh EXAMPLES/ { on = 1 } on && /^\.Ed/ { exit } code { print } on && /^\.Bd -literal/ { code = 1 }' "$SOURCE/man/metlog.3" |
		sed -e 's/\\&//g' -e 's/\\e/\\/g' -e 's/\\-/-/g' >page.c
	sed '1,/SPDX/d' "$SOURCE/contrib/examples/shop.c" >example.c
	expect_same example.c page.c
	build shop "$SOURCE/contrib/examples/shop.c" cc -std=c11
	sed "s,^endpoint = .*,endpoint = file:$PWD/shop.ndjson," "$SOURCE/contrib/examples/shop.ini" >shop.ini
	separately run_shared ./shop shop.ini
	expect_status 0
	expect_empty "$err"
	jq -r '[.logger, .type, .payload] | join(" ")' shop.ndjson | sed 's/^\(shop timer\) .*/\1/' >came
	printf '%s\n' 'shop counter 1' 'shop order paid' 'shop oldstyle only 3 left of tea' 'shop timer' | expect_same /dev/stdin came
	separately run_shared ./shop missing.ini
	expect_status 66
	expect_in "$err" 'shop: '
	expect_in "$err" missing.ini
}

# block LANGUAGE: the code block of that language in the README.
block() {
	awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```/ { on = 0 } on' "$SOURCE/README.md"
}

# plain FILE: its envelopes without what is another one in each run.
plain() {
	sed -E 's/"timestamp":"[^"]*"/"timestamp":"@"/; s/"metlog_pid":[0-9]+/"metlog_pid":0/; s/("type":"timer".*"payload":)"[^"]*"/\1"@"/' "$1"
}

@test "the programs of the README, in three languages, send the same messages" {
	need_shared
	need python3 node
	block c >shop.c
	block python >shop.py
	block js >shop.js
	block ini >shop.ini
	expect_in shop.ini 'endpoint = push:tcp://127.0.0.1:5565'
	sed -i "s,^endpoint = .*,endpoint = file:$PWD/c.ndjson," shop.ini
	build shop shop.c cc -std=c11
	run_shared ./shop
	[ "$(wc -l <c.ndjson)" -eq 4 ] || fail "$(cat c.ndjson)"
	plain c.ndjson >wanted
	sed -i "s,^endpoint = .*,endpoint = file:$PWD/python.ndjson," shop.ini
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$SOURCE/contrib/python python3 shop.py
	plain python.ndjson | expect_same wanted /dev/stdin
	sed -i "s,^endpoint = .*,endpoint = file:$PWD/node.ndjson," shop.ini
	mkdir node_modules
	ln -s "$SOURCE/contrib/node" node_modules/metlog
	node shop.js
	plain node.ndjson | expect_same wanted /dev/stdin
}

@test "uninstalling leaves nothing" {
	cp -a "$root" "$BATS_TEST_TMPDIR/root"
	make_build uninstall DESTDIR="$BATS_TEST_TMPDIR/root" >uninstall.log 2>&1
	left=$(find "$BATS_TEST_TMPDIR/root" ! -type d)
	[ -z "$left" ] || fail "$left"
}
