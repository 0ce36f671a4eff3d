/* webhdfs_driver - one operation of sink/webhdfs, or one publication of the store on it, from the command line: for the suites. */
/* SPDX-License-Identifier: MPL-2.0 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/diag.h"
#include "io/signals.h"
#include "store.h"

static const char usage[] = "webhdfs_driver [OPTION...] ADDRESS status|mkdirs|delete PATH | rename FROM TO | create PATH FILE | verify PATH FILE | publish DIR NAME TEMP FILE\n";

struct driver {
	struct webhdfs_options options;
	bool replace, verify, adopted;
	unsigned times;
};

static int open_file(const char *path, uint64_t *bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) die_errno(EXIT_NO_INPUT, "%s", path);
	*bytes = (uint64_t)st.st_size;
	return fd;
}

static const char *const verdicts[] = { "done", "absent", "exists", "later", "refused", "denied", "unknown", "stopped", "io" };
static const char *const store_verdicts[] = { "published", "there", "conflict", "later", "refused", "denied", "io", "stopped" };

static int call(struct driver *d, char **words)
{
	const char *why, *op = words[0];
	struct webhdfs *h = webhdfs_new(&d->options, &why);
	struct webhdfs_status status = { 0 };
	struct span path = span_of(words[1]);
	uint64_t bytes = 0;
	bool equal = false;
	if (!h) die(EXIT_USAGE, "%s: %s", d->options.address, why);
	enum webhdfs_verdict verdict = WEBHDFS_REFUSED;
	int fd = !strcmp(op, "create") || !strcmp(op, "verify") ? open_file(words[2], &bytes) : -1;
	for (unsigned turn = 0; turn < d->times; turn++) {
		if (!strcmp(op, "status")) verdict = webhdfs_status(h, path, &status);
		else if (!strcmp(op, "mkdirs")) verdict = webhdfs_mkdirs(h, path);
		else if (!strcmp(op, "delete")) verdict = webhdfs_delete(h, path);
		else if (!strcmp(op, "rename")) verdict = webhdfs_rename(h, path, span_of(words[2]), d->replace);
		else if (!strcmp(op, "create")) verdict = webhdfs_create(h, path, fd, bytes, NULL, NULL);
		else if (!strcmp(op, "verify")) verdict = webhdfs_verify(h, path, fd, bytes, &equal);
		else die(EXIT_USAGE, "%s", usage);
		printf("%s", verdicts[verdict]);
		if (verdict != WEBHDFS_DONE) printf(": %s", webhdfs_reason(h));
		else if (!strcmp(op, "status")) printf(" %s %" PRIu64, status.is_directory ? "directory" : "file", status.length);
		else if (!strcmp(op, "verify")) printf(" %s", equal ? "equal" : "different");
		printf("\n");
	}
	webhdfs_free(h);
	return verdict == WEBHDFS_DONE ? 0 : 1;
}

static int publish(struct driver *d, char **words)
{
	const char *why;
	struct store *store = store_webhdfs_new(&d->options, &why);
	if (!store) die(EXIT_USAGE, "%s: %s", d->options.address, why);
	store->replace = d->replace;
	store->verify = d->verify;
	struct store_file file = { .dir = words[1], .name = words[2], .temp = words[3], .adopted = d->adopted };
	file.fd = open_file(words[4], &file.bytes);
	enum store_verdict verdict = STORE_LATER;
	for (unsigned turn = 0; turn < d->times; turn++) {
		verdict = store->publish(store, &file);
		printf("%s%s%s\n", store_verdicts[verdict], *store->reason ? ": " : "", store->reason);
	}
	store->release(store);
	return verdict == STORE_PUBLISHED || verdict == STORE_THERE ? 0 : 1;
}

static void parse(struct driver *d, int argc, char **argv)
{
	static const struct option rows[] = {
		{ "user", 1, NULL, 'u' }, { "token-file", 1, NULL, 't' }, { "negotiate", 0, NULL, 'n' }, { "datanode", 1, NULL, 'd' }, { "map", 1, NULL, 'm' }, { "cacert", 1, NULL, 'c' },
		{ "retry", 1, NULL, 'r' }, { "stall", 1, NULL, 's' }, { "permission", 1, NULL, 'p' }, { "replication", 1, NULL, 'R' }, { "block", 1, NULL, 'b' },
		{ "replace", 0, NULL, 'x' }, { "verify", 0, NULL, 'v' }, { "adopted", 0, NULL, 'a' }, { "times", 1, NULL, 'T' }, { 0 },
	};
	struct webhdfs_options *o = &d->options;
	int key;
	while ((key = getopt_long(argc, argv, "+", rows, NULL)) >= 0) {
		switch (key) {
		case 'u': o->user = optarg; break;
		case 't': o->token_file = optarg; break;
		case 'n': o->negotiate = true; break;
		case 'd': o->datanodes[o->datanode_count++] = optarg; break;
		case 'm': o->http.maps[o->http.map_count++] = optarg; break;
		case 'c': o->http.ca_file = optarg; break;
		case 'r': o->retry_ms = atol(optarg); break;
		case 's': o->http.stall_ms = atol(optarg); break;
		case 'p': o->permission = optarg; break;
		case 'R': o->replication = atol(optarg); break;
		case 'b': o->block_bytes = atol(optarg); break;
		case 'x': d->replace = true; break;
		case 'v': d->verify = true; break;
		case 'a': d->adopted = true; break;
		case 'T': d->times = (unsigned)atol(optarg); break;
		default: die(EXIT_USAGE, "%s", usage);
		}
	}
}

int main(int argc, char **argv)
{
	struct driver d = { .options = { .retry_ms = 5000, .http = { .connect_ms = 5000, .stall_ms = 5000 } }, .times = 1 };
	diag_init("webhdfs_driver");
	diag_set_verbose(1);
	signals_open(SIGNALS_STOP);
	signals_ignore_pipe();
	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(&d, argc, argv);
	int words = argc - optind;
	if (words < 3) die(EXIT_USAGE, "%s", usage);
	d.options.address = argv[optind];
	char **rest = argv + optind + 1;
	bool publishes = !strcmp(rest[0], "publish"), two = !strcmp(rest[0], "rename") || !strcmp(rest[0], "create") || !strcmp(rest[0], "verify");
	if (words != (publishes ? 6 : two ? 4 : 3)) die(EXIT_USAGE, "%s", usage);
	return publishes ? publish(&d, rest) : call(&d, rest);
}
