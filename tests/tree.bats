# tree.bats - the rules of the source tree: layers, homes of third-party headers, sizes, manual pages, what the binaries link.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$SOURCE"
}

# The C files of the tree, relative to it; an out-of-tree build directory inside the tree is none of them.
sources() {
	find libcommon cmd tests -name '*.[ch]' 2>/dev/null | sort
}

# programs: the names of the programs as the tree has them, one file or folder each.
programs() {
	find cmd -mindepth 1 -maxdepth 1 \( -name 'metlog-*.c' -o -type d -name 'metlog-*' \) 2>/dev/null |
		sed 's,.*/,,; s,\.c$,,' | sort -u
}

built() {
	find "$TOOLS" -maxdepth 1 -type f -perm -100 -name 'metlog-*' ! -name '*.*' 2>/dev/null | sort
}

# own_includes FILE...: "file:line path" of each include of one of our layers.
own_includes() {
	grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$@" /dev/null |
		sed -nE 's,^([^:]+:[0-9]+):.*"([^"]+)".*,\1 \2,p'
}

# layer NAME ALLOWED...: prints the includes in libcommon/NAME that are not of an allowed layer (or one allowed header of it).
layer() {
	local name=$1 files
	shift
	[ -d "libcommon/$name" ] || return 0
	mapfile -t files < <(find "libcommon/$name" -name '*.[ch]')
	[ ${#files[@]} -gt 0 ] || return 0
	own_includes "${files[@]}" | while read -r where path; do
		case $path in
		config.h) continue ;;
		*/*) ;;
		*) [ -e "libcommon/$name/$path" ] && continue ;;
		esac
		local one
		for one in "$name" "$@"; do
			case $one in "$path" | "${path%%/*}") continue 2 ;; esac
		done
		echo "$where: $name may not include \"$path\""
	done
}

@test "each layer includes only the layers below it" {
	broken=$(
		layer base
		layer envelope base
		layer io base
		layer client base envelope io/endpoint.h io/outlet.h io/pace.h io/socket.h io/waits.h
		layer filter base envelope io
		layer sink base envelope io filter
	)
	[ -z "$broken" ] || fail "$broken"
}

@test "the transports, which a library uses too, neither print nor end the process" {
	broken=$(
		for name in endpoint socket curve zeromq ackwindow ackwire pace outlet waits; do
			mapfile -t files < <(find libcommon/io -name "$name.[ch]" -o -name "${name}_*.[ch]")
			[ ${#files[@]} -gt 0 ] || echo "libcommon/io: there is no $name"
			own_includes "${files[@]}" | while read -r where path; do
				case $path in
				base/* | io/endpoint.h | io/socket.h | io/curve.h | io/zeromq*.h | io/ackwindow.h | io/ackwire.h | io/pace.h | io/outlet*.h | io/waits.h) ;;
				*) echo "$where: a transport may not include \"$path\"" ;;
				esac
			done
			grep -nE '\<(exit|_exit|abort|printf|puts|perror|fprintf|vfprintf)\(' "${files[@]}" /dev/null || true
		done
	)
	[ -z "$broken" ] || fail "$broken"
}

@test "nothing includes a program, and no program another" {
	mapfile -t files < <(sources)
	broken=$(own_includes "${files[@]}" | while read -r where path; do
		file=${where%%:*}
		case $path in
		*cmd/*) echo "$where: includes \"$path\"" ;;
		*metlog-*/*)
			case $file in cmd/"${path%%/*}"/*) ;; *) echo "$where: includes \"$path\"" ;; esac ;;
		esac
		case $path in
		*.c)
			case $file in tests/*) ;; *) echo "$where: includes a .c file, \"$path\"" ;; esac ;;
		esac
	done)
	[ -z "$broken" ] || fail "$broken"
}

# home HEADER PATTERN...: prints includes of HEADER outside the files that match one of the patterns (tests may use any).
home() {
	local header=$1
	shift
	mapfile -t files < <(sources | grep -v '^tests/')
	grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]${header}[>\"]" "${files[@]}" /dev/null | while IFS=: read -r file line _; do
		local one
		for one; do
			# shellcheck disable=SC2254
			case $file in $one) continue 2 ;; esac
		done
		echo "$file:$line: <$header> belongs into $*"
	done
}

@test "each third-party header has one home" {
	broken=$(
		home 'zmq\.h' 'libcommon/io/zeromq.c' 'libcommon/io/zeromq_*.[ch]'
		home 'pcre2\.h' 'libcommon/envelope/match*'
		home 'xxhash\.h' 'libcommon/base/table*' 'libcommon/base/checksum*'
		home 'jansson\.h' 'libcommon/filter/config*'
		home 'curl/curl\.h' 'libcommon/sink/http*'
		home 'zlib\.h' 'libcommon/sink/compress*'
		home 'zstd\.h' 'libcommon/sink/compress*'
		home '(immintrin|x86intrin|emmintrin|arm_neon)\.h' 'libcommon/envelope/scan_*' 'libcommon/client/message_text.h' 'cmd/to-cef/cef_text.h'
		home 'argp\.h' 'libcommon/filter/tool.*'
	)
	[ -z "$broken" ] || fail "$broken"
}

@test "a file begins with its name and what it is for, then its licence" {
	mapfile -t files < <(sources)
	broken=$(for file in "${files[@]}"; do
		base=$(basename "$file")
		{ read -r first; read -r second; } <"$file" || true
		case $first in
		"/* ${base%.*} - "*"."*"*/" | "/* $base - "*"."*"*/" | "/* $(basename "$(dirname "$file")")/"*" - "*"."*"*/") ;;
		*) echo "$file:1: should be \"/* ${base%.*} - what it is for. */\"" ;;
		esac
		case $second in
		"/* SPDX-License-Identifier: MPL-2.0 */") ;;
		*) echo "$file:2: should be the SPDX line" ;;
		esac
	done)
	[ -z "$broken" ] || fail "$broken"
}

@test "scripts, suites and the makefile name their licence" {
	broken=$(find tests contrib .ci Makefile.am configure.ac -type f \( -name '*.bats' -o -name '*.bash' -o -name '*.sh' -o -name '*.py' \
		-o -name '*.js' -o -name 'run' -o -name 'Makefile.am' -o -name 'configure.ac' \) ! -path '*/node_modules/*' 2>/dev/null |
		while read -r file; do
			head -3 "$file" | grep -q 'SPDX-License-Identifier: MPL-2.0' || echo "$file: no SPDX line in its first three lines"
		done)
	[ -z "$broken" ] || fail "$broken"
}

@test "a file is one room: under 500 lines" {
	broken=$(find libcommon cmd tests contrib \( -name '*.[ch]' -o -name '*.cc' -o -name '*.bats' -o -name '*.bash' -o -name '*.sh' \
		-o -name '*.py' -o -name '*.js' \) ! -path '*/node_modules/*' -exec wc -l {} + | awk '$2 != "total" && $1 >= 500 { print $2 ": " $1 " lines" }')
	[ -z "$broken" ] || fail "$broken"
}

@test "no function is over 80 lines" {
	need ctags
	ctags --version | grep -q Universal || skip "ctags is not Universal Ctags"
	mapfile -t files < <(sources | grep '\.c$')
	broken=$(ctags -x --c-kinds=f --fields=+ne --_xformat='%{end} %{line} %N %F' "${files[@]}" |
		awk '$1 - $2 + 1 > 80 { print $4 ":" $2 ": " $3 " has " $1 - $2 + 1 " lines" }')
	[ -z "$broken" ] || fail "$broken"
}

@test "no code is switched off by the preprocessor, and no line ends in blanks" {
	mapfile -t files < <(sources)
	broken=$(grep -nE '^[[:space:]]*#[[:space:]]*if[[:space:]]+0|[[:space:]]+$' "${files[@]}" /dev/null || true)
	[ -z "$broken" ] || fail "$broken"
}

@test "each program has a manual page and a suite" {
	broken=$(programs | while read -r name; do
		[ -e "man/$name.1" ] || echo "cmd/$name has no man/$name.1"
		[ -e "tests/$name.bats" ] || echo "cmd/$name has no tests/$name.bats"
	done)
	[ -z "$broken" ] || fail "$broken"
}

@test "each source, suite, page and sample is in the release: Makefile.am names it, or its folder" {
	broken=$(find libcommon cmd man tests contrib -type f \( -name '*.[ch]' -o -name '*.cc' -o -name '*.bats' -o -name '*.bash' -o -name '*.sh' -o -name '*.py' \
		-o -name '*.js' -o -name '*.json' -o -name '*.awk' -o -name '*.dict' -o -name '*.conf' -o -name '*.in' -o -name '*.out' -o -name '*.[1357]' \
		-o -name '*.ini' -o -name '*.map' -o -name '*.symbols' -o -name '*.layout' \) \
		! -path '*/node_modules/*' ! -path '*/rivals/*' | while read -r file; do
		case $file in
		tests/unit/*.c | tests/fuzz/*.c | tests/bench/*.c) file=${file%.c} ;; # programs of one file
		esac
		grep -qF -- "$file" Makefile.am || echo "$file: not in Makefile.am"
	done)
	[ -z "$broken" ] || fail "$broken"
}

@test "each manual page is installed, has its name and its section in its head, no prose among its options, and no reference to a page of the family that is not there" {
	broken=$(for page in man/*.[0-9]; do
		base=${page#man/} name=${base%.*} section=${base##*.}
		sed -n '/^dist_man_MANS/,/[^\\]$/p' Makefile.am | grep -qF "man/$base" || echo "$page: not among dist_man_MANS"
		grep -qix "\.Dt $name $section" "$page" || echo "$page: no .Dt $name $section"
		[ "$(sed -n 's/^\.Nm //p' "$page" | head -1)" = "$name" ] || echo "$page: .Nm is another"
		grep -nE '^\..*\<Fl [A-Za-z-]+ ,? ?[a-z]{2,} [a-z]{2,}' "$page" | sed "s|^|$page: prose that becomes options: |"
		grep -oE '^\.(It )?Xr metlog[a-z-]* [0-9]' "$page" | sed 's/.*Xr //' | while read -r other number; do
			[ -e "man/$other.$number" ] || echo "$page: there is no $other($number)"
		done
	done)
	[ -z "$broken" ] || fail "$broken"
}

@test "the version is that of configure.ac everywhere" {
	version=$(sed -nE 's/^AC_INIT\(\[metlog\], \[(.*)\]\)$/\1/p' configure.ac)
	[ -n "$version" ] || fail "configure.ac has no AC_INIT"
	others=$(
		sed -nE 's/^#define METLOG_VERSION "(.*)"$/\1 metlog.h/p' libcommon/client/metlog.h
		[ ! -e contrib/python/pyproject.toml ] || sed -nE 's/^version = "(.*)"$/\1 pyproject.toml/p' contrib/python/pyproject.toml
		[ ! -e contrib/node/package.json ] || sed -nE 's/^[[:space:]]*"version": "(.*)",?$/\1 package.json/p' contrib/node/package.json
	)
	[ -n "$others" ] || fail "metlog.h has no METLOG_VERSION"
	other=$(grep -v "^$version " <<<"$others" || true)
	[ -z "$other" ] || fail "not $version: $other"
}

@test "each program stands in metlog(7) and in the README" {
	broken=$(programs | while read -r name; do
		grep -q "${name}" man/metlog.7 || echo "man/metlog.7 does not name $name"
		grep -q "${name}" README.md || echo "README.md does not name $name"
	done)
	[ -z "$broken" ] || fail "$broken"
}

@test "a manual page has the sections a reader looks for" {
	broken=$(for page in man/metlog-*.1; do
		[ -e "$page" ] || continue
		for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' ENVIRONMENT SIGNALS FILES EXAMPLES 'SEE ALSO'; do
			grep -qE "^\.Sh $section\$" "$page" || echo "$page: no section $section"
		done
	done)
	[ -z "$broken" ] || fail "$broken"
}

# The options a program's --help names, and those its manual page names in its lists and synopsis.
help_options() {
	# In a table of argp options begin in column 3 or, without a short letter, in column 7.
	"$1" --help | grep -E '^ {2,6}-' | sed -E 's/  +[^ -].*$//' |
		grep -oE -- '(^|[ ,])--?[A-Za-z?][A-Za-z0-9-]*' | tr -d ' ,' | grep -vx -- '-?' | sort -u
}

page_options() {
	grep -E '^\.It Fl' "$1" | sed -e 's/\\-/-/g' | tr ' ' '\n' |
		awk '$0 == "Fl" { dashes = dashes "-"; next } dashes { sub(/^"/, ""); sub(/[=,"].*$/, ""); print dashes $0; dashes = "" }' | sort -u
}

@test "each option of --help is in the manual page, and the other way round" {
	[ -n "$(built)" ] || skip "no program is built"
	broken=$(built | while read -r tool; do
		name=$(basename "$tool") page=man/$(basename "$tool").1
		[ -e "$page" ] || continue
		help_options "$tool" >"$BATS_TEST_TMPDIR/help"
		[ -s "$BATS_TEST_TMPDIR/help" ] || echo "$name --help lists no option"
		page_options "$page" >"$BATS_TEST_TMPDIR/page"
		comm -23 "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/page" | sed "s,.*,$page does not describe &,"
		comm -13 "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/page" | sed "s,.*,$name --help does not list & (it is in $page),"
	done)
	[ -z "$broken" ] || fail "$broken"
}

@test "no program loads libzmq or libcurl at start: a filter must not pay for endpoints it does not use" {
	[ -n "$(built)" ] || skip "no program is built"
	need readelf
	sanitized && skip "a sanitizer build"
	broken=$(built | while read -r tool; do
		readelf -dW "$tool" | grep NEEDED | grep -E 'libzmq|libcurl|libjansson|libstdc' | sed "s,^,$(basename "$tool"): ,"
	done)
	[ -z "$broken" ] || fail "$broken"
}

@test "the programs are hardened: PIE, RELRO, immediate binding, no executable stack, stack protector" {
	[ -n "$(built)" ] || skip "no program is built"
	need readelf
	sanitized && skip "a sanitizer build"
	broken=$(built | while read -r tool; do
		name=$(basename "$tool")
		readelf -hW "$tool" | grep -q 'Type:.*DYN' || echo "$name: not position independent"
		readelf -lW "$tool" | grep -q GNU_RELRO || echo "$name: no RELRO"
		readelf -lW "$tool" | grep GNU_STACK | grep -q ' RW ' || echo "$name: executable stack"
		readelf -dW "$tool" | grep -qE 'BIND_NOW|FLAGS.*NOW' || echo "$name: lazy binding"
		readelf -sW "$tool" | grep -q __stack_chk_fail || echo "$name: no stack protector"
	done)
	[ -z "$broken" ] || fail "$broken"
}
