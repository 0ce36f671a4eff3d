/* webhdfs_reaction - which fault is answered by another namenode, by waiting, or not at all: one table. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "sink/webhdfs_private.h"

/* WebHDFS gives 403 for nearly every IOException, HttpFS 500: so the exception's name decides, and the status only where there is none. Names are simple
 * ones, as the member `exception` has them. Those of Hadoop 2.6 to 3.4. */
struct row {
	const char *name;
	enum webhdfs_reaction reaction;
};

static const struct row table[] = {
	{ "StandbyException", REACTION_ELSEWHERE },
	{ "ObserverRetryOnActiveException", REACTION_ELSEWHERE },
	{ "InvalidToken", REACTION_TOKEN },
	{ "InvalidEncryptionKeyException", REACTION_WAIT },
	{ "RetriableException", REACTION_WAIT },
	{ "SafeModeException", REACTION_WAIT },
	{ "LeaseExpiredException", REACTION_WAIT },
	{ "AlreadyBeingCreatedException", REACTION_WAIT },
	{ "RecoveryInProgressException", REACTION_WAIT },
	{ "NotReplicatedYetException", REACTION_WAIT },
	{ "NoLiveDatanodesException", REACTION_WAIT },
	{ "ServerNotLeaderException", REACTION_WAIT },
	{ "RetryException", REACTION_WAIT },
	{ "FileNotFoundException", REACTION_ABSENT },
	{ "FileAlreadyExistsException", REACTION_EXISTS },
	{ "AccessControlException", REACTION_DENIED },
	{ "SnapshotAccessControlException", REACTION_DENIED },
	{ "AuthorizationException", REACTION_DENIED },
	{ "AuthenticationException", REACTION_DENIED },
	{ "QuotaExceededException", REACTION_REFUSED },
	{ "NSQuotaExceededException", REACTION_REFUSED },
	{ "DSQuotaExceededException", REACTION_REFUSED },
	{ "QuotaByStorageTypeExceededException", REACTION_REFUSED },
	{ "ClusterStorageCapacityExceededException", REACTION_REFUSED },
	{ "ParentNotDirectoryException", REACTION_REFUSED },
	{ "PathIsNotDirectoryException", REACTION_REFUSED },
	{ "PathIsNotEmptyDirectoryException", REACTION_REFUSED },
	{ "InvalidPathException", REACTION_REFUSED },
	{ "PathComponentTooLongException", REACTION_REFUSED },
	{ "MaxDirectoryItemsExceededException", REACTION_REFUSED },
	{ "UnresolvedPathException", REACTION_REFUSED },
	{ "UnresolvedLinkException", REACTION_REFUSED },
	{ "SnapshotException", REACTION_REFUSED },
	{ "IllegalArgumentException", REACTION_REFUSED },
	{ "HadoopIllegalArgumentException", REACTION_REFUSED },
	{ "InvalidRequestException", REACTION_REFUSED },
	{ "UnsupportedOperationException", REACTION_REFUSED },
	{ "ParamException", REACTION_REFUSED },
};

/* These say nothing themselves; the one they carry stands in the message, with its package before it. */
static const char *const wrappers[] = { "SecurityException", "IOException", "RemoteException", "RuntimeException", "ExecutionException", "UndeclaredThrowableException", "ContainerException", "Exception" };

static const struct row *find_name(struct span name)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (span_equal(name, span_of(table[i].name))) return &table[i];
	}
	return NULL;
}

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* The first name of the table that stands in the text as a class: after a '.', a '$' or a blank, or at the very start. */
static const struct row *find_in(struct span text)
{
	for (size_t at = 0; at < text.length;) {
		size_t end = at;
		while (end < text.length && is_letter(text.data[end])) end++;
		const struct row *row = end - at > 8 ? find_name((struct span){ text.data + at, end - at }) : NULL;
		if (row && (at == 0 || strchr(".$ (:", text.data[at - 1]))) return row;
		at = end > at ? end : at + 1;
	}
	return NULL;
}

static enum webhdfs_reaction of_status(int status)
{
	if (status == 401 || status == 403 || status == 407 || status == 511) return REACTION_DENIED;
	if (status == 408 || status == 425 || status == 429) return REACTION_WAIT;
	/* Of a proxy, or of a namenode that starts or ends: whether the request got through is not known. 501 and 505 will not change. */
	if (status >= 500 && status != 501 && status != 505) return REACTION_CUT;
	return REACTION_REFUSED;
}

enum webhdfs_reaction webhdfs_reaction_of(int status, struct span exception, struct span message)
{
	if (!exception.length) return of_status(status);
	const struct row *row = find_name(exception);
	/* "SecurityException: Failed to obtain user group information: ...SecretManager$InvalidToken: StandbyException" */
	bool token = (row && row->reaction == REACTION_TOKEN) || memmem(message.data, message.length, "InvalidToken", 12);
	if (token) return memmem(message.data, message.length, "StandbyException", 16) ? REACTION_ELSEWHERE : REACTION_TOKEN;
	if (row) return row->reaction;
	for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
		if (span_equal(exception, span_of(wrappers[i]))) row = find_in(message);
	}
	if (row) return row->reaction;
	if (span_equal(exception, SPAN("SecurityException")) || status == 401) return REACTION_DENIED;
	/* "could only be written to 0 of the 1 minReplication nodes", "not enough replicas", "All datanodes ... are bad", a datanode's disk: an IOException that
	 * is not of the table is taken for one that passes. */
	return status == 400 ? REACTION_REFUSED : REACTION_WAIT;
}
