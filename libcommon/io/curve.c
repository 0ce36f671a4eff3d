/* curve - files that hold CURVE keys, and a directory of the keys that are let in. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "io/curve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"

enum { KEY_LENGTH = CURVE_KEY_SIZE - 1, FILE_MAX = 4096 };

/* At most FILE_MAX bytes; longer files are cut, and hold no key of ours. Returns the length or -1. */
static ssize_t read_small(int fd, char text[FILE_MAX])
{
	size_t length = 0;
	while (length < FILE_MAX) {
		ssize_t n = read(fd, text + length, FILE_MAX - length);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return -1;
		if (n == 0) break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

static bool is_key(struct span s)
{
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
	if (s.length != KEY_LENGTH) return false;
	for (size_t i = 0; i < s.length; i++)
		if (!s.data[i] || !strchr(alphabet, s.data[i])) return false;
	return true;
}

/* The value of  name = "value"  in a line; empty if the line is something else. */
static struct span value_of(struct span line, struct span name)
{
	struct span none = { 0 };
	if (!span_starts(line, name)) return none;
	line = span_trim((struct span){ line.data + name.length, line.length - name.length });
	if (!line.length || line.data[0] != '=') return none;
	line = span_trim((struct span){ line.data + 1, line.length - 1 });
	if (line.length < 2 || line.data[0] != '"' || line.data[line.length - 1] != '"') return none;
	return (struct span){ line.data + 1, line.length - 2 };
}

/* Finds both keys of a file. Of bare keys, one alone is `first`, and of two the second is the secret. */
struct found {
	struct span public, secret, first, second;
};

static struct found find_keys(struct span text)
{
	struct found f = { 0 };
	while (text.length) {
		const char *newline = memchr(text.data, '\n', text.length);
		struct span line = { text.data, newline ? (size_t)(newline - text.data) : text.length };
		size_t taken = line.length + (newline ? 1 : 0);
		text.data += taken, text.length -= taken;
		line = span_trim(line);
		struct span public = value_of(line, SPAN("public-key")), secret = value_of(line, SPAN("secret-key"));
		if (is_key(public)) f.public = public;
		else if (is_key(secret)) f.secret = secret;
		else if (is_key(line) && !f.first.length) f.first = line;
		else if (is_key(line)) f.second = line;
	}
	return f;
}

static void copy_key(char out[CURVE_KEY_SIZE], struct span key)
{
	memcpy(out, key.data, KEY_LENGTH);
	out[KEY_LENGTH] = '\0';
}

/* -1, with the fault. */
static int open_key(const char *path, struct stat *status, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, status) < 0) fault_set_errno(fault, EXIT_NO_INPUT, "cannot read key file %s", path);
	else if (!S_ISREG(status->st_mode)) fault_set(fault, EXIT_NO_INPUT, "cannot read key file %s: not a regular file", path);
	else return fd;
	if (fd >= 0) close(fd);
	return -1;
}

/* Reads the file and closes it; -1, with the fault. */
static ssize_t read_key(int fd, const char *path, char text[FILE_MAX], struct fault *fault)
{
	ssize_t length = read_small(fd, text);
	if (length < 0) fault_set_errno(fault, EXIT_NO_INPUT, "cannot read key file %s", path);
	close(fd);
	return length;
}

static bool is_private(const struct stat *status, const char *path, struct fault *fault)
{
	if (status->st_uid != geteuid() && status->st_uid != 0) return fault_set(fault, EXIT_PERMISSION, "secret key file %s belongs to another user", path);
	if (!(status->st_mode & 077)) return true;
	return fault_set(fault, EXIT_PERMISSION, "secret key file %s is open to others (mode %04o): chmod 600 it", path, (unsigned)status->st_mode & 07777);
}

bool curve_read_secret(const char *path, char secret[CURVE_KEY_SIZE], struct fault *fault)
{
	struct stat status;
	char text[FILE_MAX];
	int fd = open_key(path, &status, fault);
	if (fd < 0) return false;
	if (!is_private(&status, path, fault)) {
		close(fd);
		return false;
	}
	ssize_t length = read_key(fd, path, text, fault);
	if (length < 0) return false;
	struct found f = find_keys((struct span){ text, (size_t)length });
	struct span key = f.secret.length ? f.secret : f.second.length ? f.second : f.public.length ? f.secret : f.first;
	if (key.length) copy_key(secret, key);
	explicit_bzero(text, sizeof text);
	return key.length || fault_set(fault, EXIT_CONFIGURATION, "no secret key in %s: expected 40 characters of Z85, or a line secret-key = \"...\"", path);
}

bool curve_read_public(const char *path, char public[CURVE_KEY_SIZE], struct fault *fault)
{
	struct stat status;
	char text[FILE_MAX];
	int fd = open_key(path, &status, fault);
	ssize_t length = fd < 0 ? -1 : read_key(fd, path, text, fault);
	if (length < 0) return false;
	struct found f = find_keys((struct span){ text, (size_t)length });
	struct span key = f.public.length ? f.public : f.first;
	if (key.length) copy_key(public, key);
	explicit_bzero(text, sizeof text);
	return key.length || fault_set(fault, EXIT_CONFIGURATION, "no public key in %s: expected 40 characters of Z85, or a line public-key = \"...\"", path);
}

bool curve_check_directory(const char *directory, struct fault *fault)
{
	struct stat status;
	DIR *d = opendir(directory);
	bool is_read = d && fstat(dirfd(d), &status) == 0;
	if (!is_read) fault_set_errno(fault, EXIT_NO_INPUT, "cannot read the directory of client keys %s", directory);
	if (d) closedir(d);
	if (!is_read) return false;
	if (!(status.st_mode & 022)) return true;
	return fault_set(fault, EXIT_PERMISSION, "others may write to the directory of client keys %s: chmod go-w it", directory);
}

static bool file_holds(int directory, const char *name, const char public[CURVE_KEY_SIZE])
{
	struct stat status;
	char text[FILE_MAX];
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) return false;
	ssize_t length = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? read_small(fd, text) : -1;
	close(fd);
	if (length < 0) return false;
	struct found f = find_keys((struct span){ text, (size_t)length });
	struct span key = f.public.length ? f.public : f.first;
	bool same = span_equal(key, (struct span){ public, KEY_LENGTH });
	explicit_bzero(text, sizeof text);
	return same;
}

bool curve_is_listed(const char *directory, const char public[CURVE_KEY_SIZE])
{
	bool listed = false;
	DIR *d = opendir(directory);
	if (!d) return false;
	for (struct dirent *entry; !listed && (entry = readdir(d));)
		if (entry->d_name[0] != '.') listed = file_holds(dirfd(d), entry->d_name, public);
	closedir(d);
	return listed;
}

static bool write_text(int fd, struct span text)
{
	while (text.length) {
		ssize_t n = write(fd, text.data, text.length);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return false;
		text.data += n, text.length -= (size_t)n;
	}
	return true;
}

static bool write_file(const char *path, mode_t mode, const char *text, struct fault *fault)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0) return fault_set_errno(fault, EXIT_NO_OUTPUT, "cannot create key file %s", path);
	bool is_written = write_text(fd, span_of(text)) && fsync(fd) == 0;
	int error = errno;
	if (close(fd) < 0 && is_written) is_written = false, error = errno;
	if (is_written) return true;
	unlink(path);
	errno = error;
	return fault_set_errno(fault, EXIT_IO, "cannot write key file %s", path);
}

bool curve_write_pair(const char *path, const char public[CURVE_KEY_SIZE], const char secret[CURVE_KEY_SIZE], struct fault *fault)
{
	char text[512], public_path[FILE_MAX + sizeof ".pub"];
	int length = snprintf(public_path, sizeof public_path, "%s.pub", path);
	if ((size_t)length >= sizeof public_path) return errno = ENAMETOOLONG, fault_set_errno(fault, EXIT_NO_OUTPUT, "cannot create key file %s", path);
	if (access(public_path, F_OK) == 0) return fault_set(fault, EXIT_NO_OUTPUT, "cannot create key file %s: it exists", public_path);
	snprintf(text, sizeof text, "# CURVE key pair: keep this file to yourself.\ncurve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n", public, secret);
	bool is_written = write_file(path, 0600, text, fault);
	explicit_bzero(text, sizeof text);
	snprintf(text, sizeof text, "# CURVE public key: the other side needs this file.\ncurve\n    public-key = \"%s\"\n", public);
	return is_written && write_file(public_path, 0644, text, fault);
}
