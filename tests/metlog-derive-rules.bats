# metlog-derive-rules.bats - the language of rules: what metlog-rules(5) promises, and its examples.
# SPDX-License-Identifier: MPL-2.0

setup() {
	load helper
	cd "$BATS_TEST_TMPDIR"
	MANUAL=$SOURCE/man/metlog-rules.5
}

# The examples of the manual, each in a file: example.1, example.2, ...
examples() {
	awk '/^\.Bd -literal/ { n++; inside = 1; next } /^\.Ed/ { inside = 0 } inside { print >("example." n) }' "$MANUAL"
	sed -i 's/\\(dq/"/g; s/\\(aq/'"'"'/g; s/\\&//g; s/\\e/\\/g' example.*
}

# example START: the file of the example that begins with a line that does so.
example() {
	local file
	for file in example.*; do
		case $(head -1 "$file") in "$1"*) echo "$file" && return ;; esac
	done
	fail "no example in the manual begins with $1"
}

# rules LINE...: the file of rules. lines FIELDS...: what they make of envelopes of type t with these fields, as lines of DogStatsD.
rules() { printf '%s\n' "$@" >rules; }
lines() { printf '{"type":"t","fields":{%s}}\n' "$@" | metlog-derive --rules "${RULES:-rules}" | metlog-to-statsd -n --tags dogstatsd; }
expect_lines() { # WANTED, as lines
	local wanted=$1
	shift
	lines "$@" >got
	[ "$(cat got)" = "$wanted" ] || fail "$(cat got)"
}
expect_fault() { # PLACE-AND-REASON: of the file of rules
	local status=0
	metlog-derive --check --rules rules >out 2>err || status=$?
	[ "$status" -eq 78 ] || fail "status $status"
	[ ! -s out ] || fail "$(cat out)"
	[ "$(head -1 err)" = "metlog-derive: $1" ] || fail "$(cat err)"
}

@test "each file of rules in the manual is one" {
	examples
	checked=0
	for file in example.*; do
		grep -qE '^(# |when |let )' "$file" || continue
		grep -q '^ *counter\|^ *timer' "$file" || continue
		metlog-derive --check --rules "$file" || fail "$(cat "$file")"
		checked=$((checked + 1))
	done
	[ "$checked" -ge 6 ] || fail "only $checked examples"
}

@test "the first example of the manual makes of its envelope what stands below it" {
	examples
	tr -d '\n' <"$(example '{"type"')" >line
	metlog-derive --rules "$(example '# a line of log')" line | metlog-to-statsd -n --tags dogstatsd >got
	expect_same "$(example 'request:1|c')" got
}

@test "the mistake in the manual is shown as it stands there" {
	examples
	rules 'when type == "request.summary"' '  counter request tags path = tagpath(fields.path)' '  timer   request.time = fields.t  tags pth'
	cp rules requests.rules
	metlog-derive --check --rules requests.rules 2>got && fail "it was taken"
	expect_same "$(example 'metlog-derive: requests.rules')" got
}

@test "the functions of the manual are those there are, and each takes what the manual says" {
	sed -n '/^\.Ss Functions/,/^\.El/p' "$MANUAL" | grep '^\.It' | grep -oE 'Fn [a-z]+' | sort -u | cut -c4- >told
	sed -nE 's/^\t\{ "([a-z]+)", [0-9].*/\1/p' "$SOURCE/cmd/derive/function.c" | sort -u >there
	expect_same there told
	[ "$(wc -l <there)" -ge 18 ] || fail "$(cat there)"
	sed -n '/^\.Ss Functions/,/^\.El/p' "$MANUAL" | sed -n 's/^\.It //p' | sed 's/ , /\n/g' | sed -E 's/^Fn ([a-z]+) (.*)/\1(\2)/; s/ \.\.\.//; s/ /, /g; s/\bv\b/fields.v/; s/([(,] ?)w\b/\1fields.w/g' >calls
	sed -i -E '/^equal/s/\b([ab])\b/fields.\1/g; /^equal/s/, v/, fields.v/' calls
	while IFS= read -r call; do
		rules 'when type == "t"' "  counter n tags t = $call"
		metlog-derive --check --rules rules || fail "$call"
	done <calls
	[ "$(wc -l <calls)" -ge 18 ] || fail "$(cat calls)"
}

@test "the classes, shares and choices of the manual's examples are what they are called" {
	examples
	sed -i 's/"request.summary"/"t"/' example.*
	RULES=$(example 'when type == "t"') # the one without a comment
	grep -q bucket "$RULES" || fail "$(cat "$RULES")"
	expect_lines 'query:1|c|#wifi:none,time:fast
query:1|c|#wifi:one,time:fine
query:1|c|#wifi:many,time:hopeless' '"wifi":0,"t":49.9' '"wifi":1,"t":50' '"wifi":7,"t":"5000"'
	RULES=$(example 'when fields.duration_s')
	expect_lines 'request.time:91|ms
cache.hits:75|g
sent.bytes:12|c' '"duration_s":0.091,"hits":3,"misses":1,"head":12'
	expect_lines 'request.time:1|ms
sent.bytes:0|c' '"duration_s":0.0005,"hits":0,"misses":0'
	RULES=$(example 'when fields.agent')
	expect_lines 'visit:1|c|#kind:robot,cached:true
visitors:u1|s
visit:1|c|#region:de,kind:phone
visit:1|c|#kind:desk' '"agent":"a bot","region":"-","cached":true,"uid":"u1"' '"agent":"x Mobile","region":"de","cached":false' '"agent":"x"'
	RULES=$(example 'let service')
	expect_lines 'request.auth:1|c|#key:k,service:auth
request.web:1|c|#key:invalid,service:web' '"code":1,"key":"k","service":"AUTH"' '"code":2,"key":"k","key_allowed":false,"service":"Web"'
}

@test "for says the metric for each word, in its name, its test and the names of fields" {
	rules 'when type == "t"' '  counter ${s}.seen for s in a, b-c  if fields.${s}_n > 0  tags n = fields.${s}_n, s = "is-${s}"'
	expect_lines 'a.seen:1|c|#n:1,s:is-a
b-c.seen:1|c|#n:2,s:is-b-c
b-c.seen:1|c|#n:3,s:is-b-c' '"a_n":1,"b-c_n":2' '"a_n":0,"b-c_n":3'
}

@test "a bare name is the tag that the block has had last, and a let is known in its block or file only" {
	rules 'let a = "file"' 'when type == "t"' '  let b = "one"' '  counter x tags t = a, u = b' '  counter y tags t = fields.t' '  counter z tags u, t' \
		'when type == "t"' '  let b = "two"' '  counter w tags u = b, t = a'
	expect_lines 'x:1|c|#t:file,u:one
y:1|c|#t:7
z:1|c|#u:one,t:7
w:1|c|#u:two,t:file' '"t":7'
	printf 'when type == "t"\n  counter x tags t = a\n' >second
	if metlog-derive --check --rules rules --rules second 2>err; then fail "the let of another file was taken"; fi
	grep -qF 'second:2:22: unknown name "a"' err || fail "$(cat err)"
}

@test "lines may be broken where blanks may stand, and # begins a comment but in texts, patterns and brackets" {
	printf '%s\n' '# rules' 'when type   # of what' '  == "t"' '# between' '    && fields.x =~ /a #b/ && fields[ #k] == "#1"' '' 'counter' '  n # a name' '  = 2 *' '  fields.n' '  tags' '    t' '    =' "    ' #t'" '  , u = fields[ #k]' >rules
	expect_lines 'n:6|c|#t:__t,u:_1' '"x":"a #b"," #k":"#1","n":3'
	sed 's/$/\r/' rules >crlf
	printf '\357\273\277' | cat - crlf >rules
	expect_lines 'n:6|c|#t:__t,u:_1' '"x":"a #b"," #k":"#1","n":3'
}

@test "what is computed of nothing is nothing, and so is a choice without else" {
	rules 'when type == "t"' '  counter n tags a = fields.a + 1, b = 1 / fields.b, c = "c" if fields.c, d = fields.d, e = default(fields.a, fields.d, "e"), f = lower(fields.o)'
	expect_lines 'n:1|c|#e:e' '"b":0,"d":null,"o":{"x":1}'
	expect_lines 'n:1|c|#a:3,b:0.5,c:c,d:true,e:2,f:x' '"a":"2","b":2,"c":true,"d":true,"o":"X"'
	expect_lines 'n:1|c|#d:12345678901234567890123,e:x' '"a":"x","d":12345678901234567890123'
}

@test "a mistake is shown with file, line, column and what would be right, and nothing is read" {
	rules 'when type == "t"' '' '  counter a tags b = lowr(fields.b)'
	expect_fault 'rules:3:22: unknown function "lowr"; did you mean lower?'
	rules 'when type == "t"' '  timer a.b'
	expect_fault 'rules:2:12: a timer needs a value: timer a.b = fields.ms'
	rules 'when type == "t"' '  counter n for s in x, y' '    tags a = fields.${s} if' '      fields.${s} = 3'
	expect_fault 'rules:4:19: = alone is not a relation; == compares (where ${s} is x)'
	: >rules
	expect_fault 'rules: there is no when in it'
	head -c 1100000 /dev/zero | tr '\0' '#' >rules
	expect_fault 'rules: it is larger than 1 MiB'
	printf '\xef\xbb\xbfwhen type == "t"\n counter n # \303\251 \377\n' >rules
	expect_fault 'rules:2:17: not valid UTF-8'
	printf '# \0\n' >rules
	expect_fault 'rules:1:3: a NUL byte'
}

@test "the limits of the manual are those of the rules" {
	many() { awk -v n="$1" -v one="$2" 'BEGIN { for (i = 0; i < n; i++) { s = one; gsub(/@/, i, s); printf "%s", s } }'; }
	{ echo 'when type == "t"' && many 4097 'counter n@\n'; } >rules
	expect_fault 'rules:4098:1: more than 4096 metrics'
	many 4097 'let a@ = 1\n' >rules
	expect_fault 'rules:4097:1: more than 4096 lets'
	{ printf 'when type == "t"\ncounter n tags t = 1' && many 32 ', t@ = 1'; } >rules
	expect_fault "rules:2:$((20 + 10 * 8 + 21 * 9 + 3)): more than 32 tags"
	{ printf 'when type == "t"\ntimer n = ' && many 65 '(' && many 65 ')'; } >rules
	expect_fault 'rules:2:75: more than 64 levels of parentheses, minus signs and else'
	for limit in '1 MiB' '64 KiB' '64 MiB' '4096 metrics' '4096 lets' '16384 different tags' '4096 different fields' '32 tags' '200 bytes' 'nest 64 deep'; do
		sed -n '/^\.Ss Limits/,/^\.Sh/p' "$MANUAL" | tr '\n' ' ' | grep -qF "$limit" || fail "the manual does not tell of $limit"
	done
}
