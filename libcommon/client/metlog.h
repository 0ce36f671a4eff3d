/* metlog - hands messages to a pipeline of the Metlog toolkit, at the cost of a copy; see metlog(3). */
/* SPDX-License-Identifier: MPL-2.0 */
#ifndef METLOG_H
#define METLOG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#include <initializer_list>
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default) /* also for a caller that is compiled with -fvisibility=hidden */
#ifdef __cplusplus
#pragma GCC diagnostic push /* what is right in C, too */
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wzero-as-null-pointer-constant"
#endif
#endif

/*     struct metlog *m = metlog_open("push:tcp://127.0.0.1:5565", NULL, NULL);
 *     metlog_count(m, "login", 1, 1.0, METLOG_NONE);
 *     metlog_send(m, "request", METLOG_INFORMATIONAL, "GET /", METLOG_FIELDS(metlog_field_int("status", 200), metlog_tag("host", "web1")));
 *     struct metlog_timer timer = metlog_timer_begin(m, "db.query", 0.1);
 *     ...
 *     metlog_timer_end(&timer, METLOG_NONE);
 *     metlog_close(m, 2000, NULL);
 *
 * A call makes the envelope (version 0.8, metlog(7)) in memory of the calling thread's own, and returns. A thread of the library's own, which has all
 * signals blocked, hands it over. No call prints, exits, raises a signal, takes a lock that another thread may hold for long, or allocates
 * memory after metlog_open. All may be called from any thread, also between fork and exec or exit: a child goes on with the client that it inherited, and sends
 * nothing that its parent has taken. From a signal handler, too: if it has interrupted a call of the same thread, its message is dropped and counted.
 * A client that is NULL is one to which nothing can be handed: every call does nothing and returns METLOG_CLOSED, so an application need not
 * ask everywhere whether metlog_open has succeeded.
 *
 * Text is UTF-8 and ends with a NUL, or has its length beside it; bytes that are not UTF-8 become U+FFFD. What comes out is always a good envelope. */

#define METLOG_VERSION "0.1.0"

#if defined(__GNUC__)
#define METLOG_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define METLOG_PRINTF(text, first)
#endif

/* Of the library that is there at run time, as "0.1.0", forever; METLOG_VERSION is that of the header. */
const char *metlog_version(void);

struct metlog; /* a client */

enum metlog_severity { /* RFC 5424; the client's default is METLOG_INFORMATIONAL */
	METLOG_EMERGENCY, METLOG_ALERT, METLOG_CRITICAL, METLOG_ERROR, METLOG_WARNING, METLOG_NOTICE, METLOG_INFORMATIONAL, METLOG_DEBUG,
	METLOG_SEVERITY_DEFAULT = -1
};

/* What became of a message; nobody is obliged to look. Each call is counted under one of these (struct metlog_counts). */
enum metlog_result {
	METLOG_TAKEN,     /* it is under way */
	METLOG_LEFT_OUT,  /* by a rule: its rate, a filter, a disabled timer */
	METLOG_DROPPED,   /* there was no room, and METLOG_DROP is the choice; or from a signal handler, see above */
	METLOG_REFUSED,   /* it can be no envelope: longer than line_bytes, a severity beyond 0..7, metlog_json that is no JSON */
	METLOG_CLOSED     /* no client, or it is being closed */
};

/* --- opening and closing ------------------------------------------------------------ */

enum metlog_full { /* what a call does when there is no room because the far side is slow or away */
	METLOG_DROP,   /* return METLOG_DROPPED. The number is sent later, as a counter named metlog.client.dropped */
	METLOG_BLOCK   /* wait until there is room, or the client is closed */
};

/* Made by metlog_options_init; what is then 0 or NULL is the default. Everything is copied by metlog_open. */
struct metlog_options {
	size_t size;                       /* of the struct that the caller was compiled with */
	const char *logger;                /* "" */
	const char *hostname;              /* this host's name */
	int severity;                      /* METLOG_SEVERITY_DEFAULT: METLOG_INFORMATIONAL */
	enum metlog_full when_full;
	size_t buffer_bytes;               /* of each thread; memory is used only as far as it is needed. 2 MiB; rounded up to a power of two */
	size_t line_bytes;                 /* the longest envelope; 1 MiB, and at most half of buffer_bytes */
	unsigned threads;                  /* that have a buffer of their own at a time; 64. Further ones share one, with a lock */
	const char *const *disabled_timers;/* names, then NULL; "*" is all of them */
	int severity_max;                  /* only severities up to this one are sent; METLOG_SEVERITY_DEFAULT: all */
	const char *const *types_allowed;  /* names, then NULL: only these types are sent */
	const char *const *types_denied;   /* names, then NULL: these are not */
	const char *const *type_severities;/* "TYPE:N", then NULL: of this type only severities up to N; types that are not listed pass */
	const char *curve_secret;          /* file of our CURVE key pair (mode 0600) */
	const char *curve_server;          /* file of the server's public key */
	int insecure;                      /* not 0: ZeroMQ over tcp:// off this host without CURVE is allowed */
	int64_t pid;                       /* metlog_pid; 0: the process's own, a child's after fork */
	int close_ms;                      /* how long a close waits if it is not told; 5000 */
};

void metlog_options_init(struct metlog_options *options, size_t size);
#define METLOG_OPTIONS(name) struct metlog_options name; metlog_options_init(&(name), sizeof(name))

enum { METLOG_FAULT_MAX = 400 };
struct metlog_fault {
	int status;                   /* as a tool would exit, <sysexits.h>: 64 usage, 66 no input, 71, 73 cannot create, 77 not permitted, 78 configuration */
	char text[METLOG_FAULT_MAX];  /* "shop.ini:3: a port is missing: HOST:PORT" */
};

/* Where messages go (metlog(7), ENDPOINTS): pub: push: ack: udp: tcp: unix: file: or -. The far side need not be there yet. NULL, with the reason in `fault`
 * (which may be NULL), if that can never work; options may be NULL. */
struct metlog *metlog_open(const char *endpoint, const struct metlog_options *options, struct metlog_fault *fault);

/* The same from a file, metlog-client(5). What is set in `options` (may be NULL) wins over the file. */
struct metlog *metlog_open_config(const char *path, const struct metlog_options *options, struct metlog_fault *fault);

/* calls = taken + left_out + dropped + refused; taken = sent + unsent. Since metlog_open, or since the fork. */
struct metlog_counts {
	uint64_t taken, left_out, dropped, refused;
	uint64_t sent;     /* handed over, as far as this kind of endpoint can know (metlog-send(1), HANDING OVER) */
	uint64_t unsent;   /* not, or not yet; after metlog_close: lost */
};
void metlog_counts_get(struct metlog *client, struct metlog_counts *counts);

/* Waits until everything that was taken before the call is handed over, for at most timeout_ms (< 0: close_ms). 0: it is; -1: not all of it. */
int metlog_flush(struct metlog *client, int timeout_ms);

/* No message is taken any more; waits as metlog_flush does, then gives up what is left, and releases the client. 0 if everything taken was handed over and nothing was
 * dropped or refused; else -1, and `counts` (may be NULL) says how much. Returns within timeout_ms (< 0: close_ms) and a little. No thread may be in a call with this client, or make one later. */
int metlog_close(struct metlog *client, int timeout_ms, struct metlog_counts *counts);

/* Why the far side does not take anything now, as a sentence's end: "nobody is connected"; "" if it does. Copied into `text`. */
void metlog_reason(struct metlog *client, char *text, size_t size);

/* --- fields ----------------------------------------------------------------------------- */

enum metlog_kind { METLOG_KIND_NULL, METLOG_KIND_BOOL, METLOG_KIND_INT, METLOG_KIND_UINT, METLOG_KIND_DOUBLE, METLOG_KIND_TEXT, METLOG_KIND_JSON, METLOG_KIND_TAG };

struct metlog_field { /* borrowed for the call; made by the functions below */
	const char *name;
	union { int64_t integer; uint64_t unsigned_integer; double number; const char *text; } value;
	size_t length;          /* of a text */
	uint32_t name_length;
	enum metlog_kind kind;
};

struct metlog_fields { const struct metlog_field *list; size_t count; };

/* A name that is NULL is "", a value that is NULL is null (a tag: ""). */
static inline struct metlog_field metlog_field_of(const char *name, enum metlog_kind kind, const char *text, size_t length)
{
	struct metlog_field field;
	field.name = name;
	field.value.text = text;
	field.length = length;
	field.name_length = name ? (uint32_t)strlen(name) : 0;
	field.kind = kind;
	return field;
}

static inline struct metlog_field metlog_field_null(const char *name) { return metlog_field_of(name, METLOG_KIND_NULL, NULL, 0); }
static inline struct metlog_field metlog_field_bytes(const char *name, const char *text, size_t length) { return metlog_field_of(name, text ? METLOG_KIND_TEXT : METLOG_KIND_NULL, text, text ? length : 0); }
static inline struct metlog_field metlog_field_text(const char *name, const char *text) { return metlog_field_of(name, text ? METLOG_KIND_TEXT : METLOG_KIND_NULL, text, text ? strlen(text) : 0); }
/* A JSON value (RFC 8259), which is checked and goes out as it is but for newlines between its parts, which become blanks. */
static inline struct metlog_field metlog_field_json(const char *name, const char *json) { return metlog_field_of(name, json ? METLOG_KIND_JSON : METLOG_KIND_NULL, json, json ? strlen(json) : 0); }
/* One of fields.tags; these come behind the fields, in the order of the calls. */
static inline struct metlog_field metlog_tag(const char *name, const char *text) { return metlog_field_of(name, METLOG_KIND_TAG, text ? text : "", text ? strlen(text) : 0); }

static inline struct metlog_field metlog_field_int(const char *name, int64_t value)
{
	struct metlog_field field = metlog_field_of(name, METLOG_KIND_INT, NULL, 0);
	field.value.integer = value;
	return field;
}

static inline struct metlog_field metlog_field_uint(const char *name, uint64_t value)
{
	struct metlog_field field = metlog_field_of(name, METLOG_KIND_UINT, NULL, 0);
	field.value.unsigned_integer = value;
	return field;
}

/* The shortest digits that read back as the value, laid out as ECMAScript does (RFC 8785, 3.2.2.3): 0.1, 3, 1e+21; NaN and infinities: null. */
static inline struct metlog_field metlog_field_double(const char *name, double value)
{
	struct metlog_field field = metlog_field_of(name, METLOG_KIND_DOUBLE, NULL, 0);
	field.value.number = value;
	return field;
}

static inline struct metlog_field metlog_field_bool(const char *name, int value)
{
	struct metlog_field field = metlog_field_of(name, METLOG_KIND_BOOL, NULL, 0);
	field.value.integer = value != 0;
	return field;
}

/* The fields of a call, in its argument list: METLOG_FIELDS(metlog_field_int("status", 200), metlog_tag("host", "web1")); or METLOG_NONE. */
#ifdef __cplusplus
} /* extern "C" */
inline struct metlog_fields metlog_fields_of(std::initializer_list<struct metlog_field> list)
{
	struct metlog_fields fields = { list.begin(), list.size() };
	return fields;
}
extern "C" {
#define METLOG_FIELDS(...) metlog_fields_of({ __VA_ARGS__ })
#define METLOG_NONE metlog_fields_of({})
#else
#define METLOG_FIELDS(...) ((struct metlog_fields){ (const struct metlog_field[]){ __VA_ARGS__ }, sizeof((const struct metlog_field[]){ __VA_ARGS__ }) / sizeof(struct metlog_field) })
#define METLOG_NONE ((struct metlog_fields){ NULL, 0 })
#endif

/* --- messages ----------------------------------------------------------------------------- */

/* A message of any type. payload NULL is "". */
enum metlog_result metlog_send(struct metlog *client, const char *type, int severity, const char *payload, struct metlog_fields fields);

/* Everything that an envelope has. Made by metlog_message_init; what is then 0 or NULL is the client's default. */
struct metlog_message {
	size_t size;
	const char *type;
	const char *logger;
	int severity;                /* METLOG_SEVERITY_DEFAULT */
	int payload_is_json;         /* `payload` is a JSON value, which is checked; else it is text */
	const char *payload;
	size_t payload_length;       /* if payload is not NULL */
	const char *metric;          /* fields.name, and then fields.rate unless rate is negative; fields called so, and in the list below, are left out */
	double rate;                 /* of a metric. Nothing is sampled by it here; negative: it has none (gauges, sets) */
	struct metlog_fields fields;
	int64_t timestamp_ns;        /* since 1970-01-01T00:00:00Z; 0: now */
	const char *timestamp;       /* or as RFC 3339 text, which is checked, and goes out as it is */
	int64_t pid;
	const char *hostname;
};
void metlog_message_init(struct metlog_message *message, size_t size);
enum metlog_result metlog_send_message(struct metlog *client, const struct metlog_message *message);

/* The envelope that metlog_send_message would hand over, without its newline, into `out`; nothing is sent, counted or left out. Returns its length, which is more
 * than `size` if there was not room for it (nothing is then written); 0 if it can be none (see METLOG_REFUSED). `client` may not be NULL. */
size_t metlog_compose(struct metlog *client, const struct metlog_message *message, char *out, size_t size);

/* Metrics. The rate is the share of calls that are sent, as the original clients have it: 1 or more always, 0 or less never, between them by chance; it goes out as
 * fields.rate, so that whoever adds up can make good for it. `fields` called name or rate are left out; tags: metlog_tag. */
enum metlog_result metlog_count(struct metlog *client, const char *name, int64_t count, double rate, struct metlog_fields fields);       /* type counter */
enum metlog_result metlog_timing(struct metlog *client, const char *name, double milliseconds, double rate, struct metlog_fields fields); /* type timer; never samples, as the duration was measured already: the rate is told only */
enum metlog_result metlog_gauge(struct metlog *client, const char *name, double value, struct metlog_fields fields);                      /* type gauge; NaN and infinities are refused */
enum metlog_result metlog_set(struct metlog *client, const char *name, const char *member, struct metlog_fields fields);                  /* type set: one member of it */

/* The time between two points, by the monotonic clock: type timer, in milliseconds with at most three decimals. Whether it is sent (rate, disabled timers) is decided at the beginning, and what is not sent
 * takes no time. The name is borrowed until the end. A timer may end in another thread, once; it may be dropped, too: nothing is held. */
struct metlog_timer {
	struct metlog *client; /* NULL: not sent */
	const char *name;
	double rate;
	int64_t began_ns;      /* negative: a rule leaves it out */
};
struct metlog_timer metlog_timer_begin(struct metlog *client, const char *name, double rate);
enum metlog_result metlog_timer_end(struct metlog_timer *timer, struct metlog_fields fields);

/* A timer that is not sent ends here, without a call. */
static inline enum metlog_result metlog_timer_end_here(struct metlog_timer *timer, struct metlog_fields fields)
{
	if (!timer->client) return timer->began_ns < 0 ? METLOG_LEFT_OUT : METLOG_CLOSED;
	return metlog_timer_end(timer, fields);
}
#define metlog_timer_end(...) metlog_timer_end_here(__VA_ARGS__)

/* Log messages: type oldstyle. A text of more than line_bytes is refused. (printf's own rules hold: "%s" wants a text.) */
enum metlog_result metlog_log(struct metlog *client, int severity, const char *format, ...) METLOG_PRINTF(3, 4);
enum metlog_result metlog_vlog(struct metlog *client, int severity, const char *format, va_list arguments) METLOG_PRINTF(3, 0);
#define metlog_debug(client, ...) metlog_log(client, METLOG_DEBUG, __VA_ARGS__)
#define metlog_info(client, ...) metlog_log(client, METLOG_INFORMATIONAL, __VA_ARGS__)
#define metlog_notice(client, ...) metlog_log(client, METLOG_NOTICE, __VA_ARGS__)
#define metlog_warning(client, ...) metlog_log(client, METLOG_WARNING, __VA_ARGS__)
#define metlog_error(client, ...) metlog_log(client, METLOG_ERROR, __VA_ARGS__)
#define metlog_critical(client, ...) metlog_log(client, METLOG_CRITICAL, __VA_ARGS__)
#define metlog_alert(client, ...) metlog_log(client, METLOG_ALERT, __VA_ARGS__)
#define metlog_emergency(client, ...) metlog_log(client, METLOG_EMERGENCY, __VA_ARGS__)

/* A security event: type cef, its parts as fields, from which metlog-to-cef(1) makes the line and sees to the escaping. NULL parts are left out;
 * `extension` has the keys of CEF's dictionary (src, suser, request, ...), or any; a key that is called as a part that is given is left out, for it could take its place. */
struct metlog_cef_event {
	const char *signature;  /* "AuthFail" */
	const char *name;       /* "Authentication failed" */
	int severity;           /* of CEF, 0 to 10; that of the envelope is the client's default */
	const char *vendor, *product, *version;
};
enum metlog_result metlog_cef(struct metlog *client, const struct metlog_cef_event *event, struct metlog_fields extension);

/* Where the caller is: type sentry, with fields.exception as Sentry has it (frames, the caller's callers first; function, package, instruction_addr, ...). `kind` is the exception's
 * type ("NullPointer"), `text` its value and the payload. The names of functions are those the dynamic linker knows: link with -rdynamic to have a program's own.
 * METLOG_SEVERITY_DEFAULT is METLOG_ERROR here. Fields called exception or platform are left out. */
enum metlog_result metlog_backtrace(struct metlog *client, int severity, const char *kind, const char *text, struct metlog_fields fields);

#if defined(__GNUC__)
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
