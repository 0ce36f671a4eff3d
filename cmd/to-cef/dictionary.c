/* dictionary - the table of the standard keys, and the way into it. */
/* SPDX-License-Identifier: MPL-2.0 */
#include "dictionary.h"

#define TEXT(literal) { literal, sizeof(literal) - 1 }
#define NAME(wire) .name = TEXT(wire), .start = " " wire "="
#define KEY(wire, full, kind, kind_1, most, version) { NAME(wire), .full_name = TEXT(full), .type = DICTIONARY_##kind, .type_1 = DICTIONARY_##kind_1, .limit = most, .since = version }
#define STRING(wire, full, most) KEY(wire, full, STRING, STRING, most, 0)
#define PLAIN(wire, full, kind) KEY(wire, full, kind, kind, 0, 0)
#define ADDRESS(wire, full) KEY(wire, full, IPV4, IP, 0, 0)
#define LATER(wire, kind, most) KEY(wire, wire, kind, kind, most, 1)
#define CUSTOM(wire, full, kind, most, label_most) \
	{ NAME(wire), .full_name = TEXT(full), .type = DICTIONARY_##kind, .type_1 = DICTIONARY_##kind, .limit = most, .label = TEXT(wire "Label") }, \
	{ NAME(wire "Label"), .full_name = TEXT(full "Label"), .limit = label_most }
#define CONSUMER(wire, full, kind, most) { NAME(wire), .full_name = TEXT(full), .type = DICTIONARY_##kind, .type_1 = DICTIONARY_##kind, .limit = most, .consumer_only = true }

/* Revision 25 and the dictionary of CEF 1.2; keys of 1.2 have `since` 1. */
static struct dictionary_key keys[] = {
	STRING("act", "deviceAction", 63),
	STRING("app", "applicationProtocol", 31),
	CUSTOM("c6a1", "deviceCustomIPv6Address1", IPV6, 0, 1023),
	CUSTOM("c6a2", "deviceCustomIPv6Address2", IPV6, 0, 1023),
	CUSTOM("c6a3", "deviceCustomIPv6Address3", IPV6, 0, 1023),
	CUSTOM("c6a4", "deviceCustomIPv6Address4", IPV6, 0, 1023),
	STRING("cat", "deviceEventCategory", 1023),
	CUSTOM("cfp1", "deviceCustomFloatingPoint1", FLOAT, 0, 1023),
	CUSTOM("cfp2", "deviceCustomFloatingPoint2", FLOAT, 0, 1023),
	CUSTOM("cfp3", "deviceCustomFloatingPoint3", FLOAT, 0, 1023),
	CUSTOM("cfp4", "deviceCustomFloatingPoint4", FLOAT, 0, 1023),
	CUSTOM("cn1", "deviceCustomNumber1", LONG, 0, 1023),
	CUSTOM("cn2", "deviceCustomNumber2", LONG, 0, 1023),
	CUSTOM("cn3", "deviceCustomNumber3", LONG, 0, 1023),
	PLAIN("cnt", "baseEventCount", INTEGER),
	CUSTOM("cs1", "deviceCustomString1", STRING, 4000, 1023),
	CUSTOM("cs2", "deviceCustomString2", STRING, 4000, 1023),
	CUSTOM("cs3", "deviceCustomString3", STRING, 4000, 1023),
	CUSTOM("cs4", "deviceCustomString4", STRING, 4000, 1023),
	CUSTOM("cs5", "deviceCustomString5", STRING, 4000, 1023),
	CUSTOM("cs6", "deviceCustomString6", STRING, 4000, 1023),
	STRING("destinationDnsDomain", "destinationDnsDomain", 255),
	STRING("destinationServiceName", "destinationServiceName", 1023),
	ADDRESS("destinationTranslatedAddress", "destinationTranslatedAddress"),
	PLAIN("destinationTranslatedPort", "destinationTranslatedPort", INTEGER),
	CUSTOM("deviceCustomDate1", "deviceCustomDate1", TIME, 0, 1023),
	CUSTOM("deviceCustomDate2", "deviceCustomDate2", TIME, 0, 1023),
	PLAIN("deviceDirection", "deviceDirection", INTEGER),
	STRING("deviceDnsDomain", "deviceDnsDomain", 255),
	STRING("deviceExternalId", "deviceExternalId", 255),
	STRING("deviceFacility", "deviceFacility", 1023),
	STRING("deviceInboundInterface", "deviceInboundInterface", 128),
	STRING("deviceNtDomain", "deviceNtDomain", 255),
	STRING("deviceOutboundInterface", "deviceOutboundInterface", 128),
	STRING("devicePayloadId", "devicePayloadId", 128),
	STRING("deviceProcessName", "deviceProcessName", 1023),
	ADDRESS("deviceTranslatedAddress", "deviceTranslatedAddress"),
	STRING("dhost", "destinationHostName", 1023),
	PLAIN("dmac", "destinationMacAddress", MAC),
	STRING("dntdom", "destinationNtDomain", 255),
	PLAIN("dpid", "destinationProcessId", INTEGER),
	STRING("dpriv", "destinationUserPrivileges", 1023),
	STRING("dproc", "destinationProcessName", 1023),
	PLAIN("dpt", "destinationPort", INTEGER),
	ADDRESS("dst", "destinationAddress"),
	STRING("dtz", "deviceTimeZone", 255),
	STRING("duid", "destinationUserId", 1023),
	STRING("duser", "destinationUserName", 1023),
	ADDRESS("dvc", "deviceAddress"),
	STRING("dvchost", "deviceHostName", 100),
	PLAIN("dvcmac", "deviceMacAddress", MAC),
	PLAIN("dvcpid", "deviceProcessId", INTEGER),
	PLAIN("end", "endTime", TIME),
	STRING("externalId", "externalId", 40),
	PLAIN("fileCreateTime", "fileCreateTime", TIME),
	STRING("fileHash", "fileHash", 255),
	STRING("fileId", "fileId", 1023),
	PLAIN("fileModificationTime", "fileModificationTime", TIME),
	STRING("filePath", "filePath", 1023),
	STRING("filePermission", "filePermission", 1023),
	STRING("fileType", "fileType", 1023),
	CUSTOM("flexDate1", "flexDate1", TIME, 0, 128),
	CUSTOM("flexString1", "flexString1", STRING, 1023, 128),
	CUSTOM("flexString2", "flexString2", STRING, 1023, 128),
	STRING("fname", "filename", 1023),
	PLAIN("fsize", "fileSize", INTEGER),
	KEY("in", "bytesIn", INTEGER, LONG, 0, 0),
	STRING("msg", "message", 1023),
	PLAIN("oldFileCreateTime", "oldFileCreateTime", TIME),
	STRING("oldFileHash", "oldFileHash", 255),
	STRING("oldFileId", "oldFileId", 1023),
	PLAIN("oldFileModificationTime", "oldFileModificationTime", TIME),
	STRING("oldFileName", "oldFileName", 1023),
	STRING("oldFilePath", "oldFilePath", 1023),
	STRING("oldFilePermission", "oldFilePermission", 1023),
	PLAIN("oldFileSize", "oldFileSize", INTEGER),
	STRING("oldFileType", "oldFileType", 1023),
	KEY("out", "bytesOut", INTEGER, LONG, 0, 0),
	STRING("outcome", "eventOutcome", 63),
	STRING("proto", "transportProtocol", 31),
	STRING("reason", "Reason", 1023),
	STRING("request", "requestUrl", 1023),
	STRING("requestClientApplication", "requestClientApplication", 1023),
	STRING("requestContext", "requestContext", 2048),
	STRING("requestCookies", "requestCookies", 1023),
	STRING("requestMethod", "requestMethod", 1023),
	PLAIN("rt", "deviceReceiptTime", TIME),
	STRING("shost", "sourceHostName", 1023),
	PLAIN("smac", "sourceMacAddress", MAC),
	STRING("sntdom", "sourceNtDomain", 255),
	STRING("sourceDnsDomain", "sourceDnsDomain", 255),
	STRING("sourceServiceName", "sourceServiceName", 1023),
	ADDRESS("sourceTranslatedAddress", "sourceTranslatedAddress"),
	PLAIN("sourceTranslatedPort", "sourceTranslatedPort", INTEGER),
	PLAIN("spid", "sourceProcessId", INTEGER),
	STRING("spriv", "sourceUserPrivileges", 1023),
	STRING("sproc", "sourceProcessName", 1023),
	PLAIN("spt", "sourcePort", INTEGER),
	ADDRESS("src", "sourceAddress"),
	PLAIN("start", "startTime", TIME),
	STRING("suid", "sourceUserId", 1023),
	STRING("suser", "sourceUserName", 1023),
	PLAIN("type", "type", INTEGER),

	LATER("dTranslatedZoneKey", LONG, 0),
	LATER("dZoneKey", LONG, 0),
	LATER("deviceTranslatedZoneKey", LONG, 0),
	LATER("deviceZoneKey", LONG, 0),
	LATER("frameworkName", STRING, 256),
	LATER("reportedDuration", LONG, 0),
	LATER("reportedResourceGroupName", STRING, 128),
	LATER("reportedResourceID", STRING, 256),
	LATER("reportedResourceName", STRING, 64),
	LATER("reportedResourceType", STRING, 64),
	LATER("sTranslatedZoneKey", LONG, 0),
	LATER("sZoneKey", LONG, 0),
	LATER("threatActor", STRING, 40),
	LATER("threatAttackID", STRING, 32),

	CONSUMER("agentDnsDomain", "agentDnsDomain", STRING, 255),
	CONSUMER("agentNtDomain", "agentNtDomain", STRING, 255),
	CONSUMER("agentTranslatedAddress", "agentTranslatedAddress", IP, 0),
	CONSUMER("agentTranslatedZoneExternalID", "agentTranslatedZoneExternalID", STRING, 200),
	CONSUMER("agentTranslatedZoneKey", "agentTranslatedZoneKey", LONG, 0),
	CONSUMER("agentTranslatedZoneURI", "agentTranslatedZoneURI", STRING, 2048),
	CONSUMER("agentZoneExternalID", "agentZoneExternalID", STRING, 200),
	CONSUMER("agentZoneKey", "agentZoneKey", LONG, 0),
	CONSUMER("agentZoneURI", "agentZoneURI", STRING, 2048),
	CONSUMER("agt", "agentAddress", IP, 0),
	CONSUMER("ahost", "agentHostName", STRING, 1023),
	CONSUMER("aid", "agentId", STRING, 40),
	CONSUMER("amac", "agentMacAddress", MAC, 0),
	CONSUMER("art", "agentReceiptTime", TIME, 0),
	CONSUMER("at", "agentType", STRING, 63),
	CONSUMER("atz", "agentTimeZone", STRING, 255),
	CONSUMER("av", "agentVersion", STRING, 31),
	CONSUMER("customerExternalID", "customerExternalID", STRING, 200),
	CONSUMER("customerKey", "customerKey", LONG, 0),
	CONSUMER("customerURI", "customerURI", STRING, 2048),
	CONSUMER("destinationTranslatedZoneExternalID", "destinationTranslatedZoneExternalID", STRING, 200),
	CONSUMER("destinationTranslatedZoneURI", "destinationTranslatedZoneURI", STRING, 2048),
	CONSUMER("destinationZoneExternalID", "destinationZoneExternalID", STRING, 200),
	CONSUMER("destinationZoneURI", "destinationZoneURI", STRING, 2048),
	CONSUMER("deviceTranslatedZoneExternalID", "deviceTranslatedZoneExternalID", STRING, 200),
	CONSUMER("deviceTranslatedZoneURI", "deviceTranslatedZoneURI", STRING, 2048),
	CONSUMER("deviceZoneExternalID", "deviceZoneExternalID", STRING, 200),
	CONSUMER("deviceZoneURI", "deviceZoneURI", STRING, 2048),
	CONSUMER("dlat", "destinationGeoLatitude", FLOAT, 0),
	CONSUMER("dlong", "destinationGeoLongitude", FLOAT, 0),
	CONSUMER("eventId", "eventId", LONG, 0),
	CONSUMER("mrt", "managerReceiptTime", TIME, 0),
	CONSUMER("rawEvent", "rawEvent", STRING, 4000),
	CONSUMER("slat", "sourceGeoLatitude", FLOAT, 0),
	CONSUMER("slong", "sourceGeoLongitude", FLOAT, 0),
	CONSUMER("sourceTranslatedZoneExternalID", "sourceTranslatedZoneExternalID", STRING, 200),
	CONSUMER("sourceTranslatedZoneURI", "sourceTranslatedZoneURI", STRING, 2048),
	CONSUMER("sourceZoneExternalID", "sourceZoneExternalID", STRING, 200),
	CONSUMER("sourceZoneURI", "sourceZoneURI", STRING, 2048),
};

enum { KEYS = sizeof keys / sizeof *keys, SLOTS = 1024, NAME_MAX_BYTES = DICTIONARY_NAME_MAX };
_Static_assert((int)KEYS <= (int)DICTIONARY_KEYS_MAX, "DICTIONARY_KEYS_MAX is too small");

/* Filled by the first look-up: some 2 us, and adding a key stays one row above. 0: free, else the key's number and one. */
static uint16_t slots[SLOTS];
static bool is_filled;

/* Six bytes tell the names apart but for a handful; which six was found by trying. */
static size_t slot_of(struct span name)
{
	const unsigned char *p = (const unsigned char *)name.data;
	size_t n = name.length;
	uint32_t hash = (uint32_t)n | (uint32_t)p[0] << 8 | (uint32_t)p[n - 1] << 16 | (uint32_t)p[n / 2] << 24;
	hash ^= ((uint32_t)p[1] << 4) + ((uint32_t)p[n > 2 ? 2 : 0] << 13) + ((uint32_t)p[n * 3 / 4] << 19);
	return hash * 2654435761u >> 22;
}

static void fill(void)
{
	for (size_t i = 0; i < KEYS; i++) {
		size_t slot = slot_of(keys[i].name);
		while (slots[slot]) slot = (slot + 1) % SLOTS;
		slots[slot] = (uint16_t)(i + 1);
		keys[i].number = (uint16_t)i;
	}
	is_filled = true;
}

const struct dictionary_key *dictionary_find(struct span name)
{
	if (name.length < 2 || name.length > NAME_MAX_BYTES) return NULL;
	if (!is_filled) fill();
	for (size_t slot = slot_of(name); slots[slot]; slot = (slot + 1) % SLOTS)
		if (span_equal(keys[slots[slot] - 1].name, name)) return &keys[slots[slot] - 1];
	return NULL;
}

const struct dictionary_key *dictionary_at(size_t number)
{
	if (!is_filled) fill();
	return number < KEYS ? &keys[number] : NULL;
}
