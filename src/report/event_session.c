/* SPDX-License-Identifier: BSD-2-Clause */
/* One session or stats event: which facts of it count, and under which key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "proto/tls_names.h"
#include "report/events.h"

enum { NS = 1000000000 };

static enum tls_version version_of(const json_t *object, const char *key)
{
    const char *word = event_text(object, key);
    return word ? word_tls_version_of(word) : TLS_VERSION_NONE;
}

static uint8_t tristate_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) ? TRISTATE_YES : TRISTATE_NO
                                  : TRISTATE_UNKNOWN;
}

static bool id_of(const json_t *object, const char *key, uint32_t *id)
{
    const char *text = event_text(object, key);
    char *end = NULL;
    unsigned long value = text ? strtoul(text, &end, 16) : 0;
    *id = (uint32_t)value;
    return text && *text && !*end && value <= 0xffffff;
}

static uint8_t pfs_of_cipher(const json_t *tls, enum tls_version version)
{
    uint32_t id;
    if (!id_of(tls, "cipher_id", &id))
        return TRISTATE_UNKNOWN;
    unsigned traits = version == TLS_VERSION_SSL2 || id > UINT16_MAX
                          ? ssl2_cipher_traits(id)
                          : tls_cipher_traits((uint16_t)id);
    if (!(traits & TLS_CIPHER_KNOWN))
        return TRISTATE_UNKNOWN;
    return traits & TLS_CIPHER_FORWARD_SECRECY ? TRISTATE_YES : TRISTATE_NO;
}

/* Without a group nothing post-quantum was chosen, but in 1.3 it may just not have been seen. */
static uint8_t pq_of_group(const json_t *tls, enum tls_version version)
{
    uint32_t id;
    if (id_of(tls, "group_id", &id) && id <= UINT16_MAX)
        return tls_group_post_quantum((uint16_t)id) ? TRISTATE_YES : TRISTATE_NO;
    return version == TLS_VERSION_NONE || version == TLS_VERSION_TLS13 ? TRISTATE_UNKNOWN
                                                                       : TRISTATE_NO;
}

static uint32_t name_or_id(struct aggregate *aggregate, const json_t *tls, const char *name,
                           const char *id)
{
    const char *text = event_text(tls, name);
    return aggregate_string(aggregate, text ? text : event_text(tls, id));
}

static uint8_t side_of(const char *word)
{
    return !word                         ? SIDE_NONE
           : strcmp(word, "client") == 0 ? SIDE_CLIENT
           : strcmp(word, "server") == 0 ? SIDE_SERVER
                                         : SIDE_NONE;
}

/* Why TLS failed, as a word that reads well in JSON: "alert protocol_version by server", "fin by
 * client". */
static uint32_t reason_of(struct aggregate *aggregate, const json_t *event, const json_t *tls)
{
    char text[128];
    const json_t *alert = json_object_get(tls, "alert");
    const char *from = event_text(alert, "from");
    if (alert) {
        const char *name = json_is_true(json_object_get(alert, "encrypted"))
                               ? "encrypted"
                               : event_text(alert, "name");
        json_int_t code = json_integer_value(json_object_get(alert, "code"));
        if (name)
            snprintf(text, sizeof text, "alert %.64s by %.16s", name, from ? from : "unknown");
        else
            snprintf(text, sizeof text, "alert %u by %.16s", (unsigned)code & 0xff,
                     from ? from : "unknown");
        return aggregate_string(aggregate, text);
    }
    const json_t *end = json_object_get(event, "end");
    const char *how = event_text(end, "how");
    from = event_text(end, "from");
    snprintf(text, sizeof text, "%.16s%s%.16s", how ? how : "unknown", from ? " by " : "",
             from ? from : "");
    return aggregate_string(aggregate, text);
}

static uint32_t findings_of(const json_t *event)
{
    uint32_t bits = 0;
    const json_t *list = json_object_get(event, "findings");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        enum finding finding = word ? word_finding_of(word) : FINDING_COUNT;
        if (finding <
            FINDING_COUNT) /* those of a newer mxtap are no damage: names are only added */
            bits |= UINT32_C(1) << finding;
    }
    return bits;
}

static void fill_tls(struct aggregate *aggregate, const json_t *tls, struct posture *posture)
{
    const json_t *client = json_object_get(tls, "client"), *server = json_object_get(tls, "server");
    enum tls_version version = version_of(tls, "version");
    posture->version = (uint8_t)version;
    posture->client_max = (uint8_t)version_of(client, "max_version");
    posture->supports = (uint8_t)version_of(server, "supports");
    posture->client_pfs = tristate_of(client, "forward_secrecy");
    posture->client_pq = tristate_of(client, "post_quantum");
    posture->session_pfs = pfs_of_cipher(tls, version);
    posture->session_pq = pq_of_group(tls, version);
    posture->limited_by = side_of(event_text(tls, "limited_by"));
    posture->cipher = name_or_id(aggregate, tls, "cipher", "cipher_id");
    posture->group = name_or_id(aggregate, tls, "group", "group_id");
    if (json_is_true(json_object_get(tls, "resumed")))
        posture->flags |= POSTURE_RESUMED;
    if (json_object_get(server, "x509"))
        posture->flags |= POSTURE_CERTIFICATE;
}

static void fill_posture(struct aggregate *aggregate, const json_t *event, struct posture *posture)
{
    const char *starttls = event_text(json_object_get(event, "smtp"), "starttls");
    const json_t *tls = json_object_get(event, "tls");
    posture->starttls = (uint8_t)(starttls ? word_starttls_of(starttls) : STARTTLS_COUNT);
    posture->limited_by = SIDE_NONE;
    posture->findings = findings_of(event);
    if (json_object_get(event, "incomplete"))
        posture->flags |= POSTURE_INCOMPLETE;
    json_int_t bytes =
        json_integer_value(json_object_get(json_object_get(event, "client"), "bytes"));
    if (bytes > REPORT_SUBSTANTIAL)
        posture->flags |= POSTURE_SUBSTANTIAL;
    if (tls)
        fill_tls(aggregate, tls, posture);
    if (posture->outcome == OUTCOME_TLS_FAILED)
        posture->reason = reason_of(aggregate, event, tls);
}

/* What the event says about a side: its address, what it announced, the names in its certificate.
 */
static bool gather(const json_t *event, enum side side, struct peer_evidence *evidence)
{
    memset(evidence, 0, sizeof *evidence);
    const char *key = word_side(side);
    evidence->ip = event_text(json_object_get(event, key), "ip");
    if (!evidence->ip || !peer_address_parse(evidence->ip, &evidence->address))
        return false;
    evidence->announced = event_text(json_object_get(event, "smtp"),
                                     side == SIDE_CLIENT ? "client_name" : "server_name");
    evidence->announced_by = side == SIDE_CLIENT ? NAMED_BY_HELLO : NAMED_BY_BANNER;
    const json_t *x509 =
        json_object_get(json_object_get(json_object_get(event, "tls"), key), "x509");
    if (!x509)
        return true;
    const json_t *names = json_object_get(x509, "names");
    for (size_t i = 0; i < json_array_size(names) && i < PEER_CERTIFICATE_NAMES; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name)
            evidence->certificate[evidence->certificates++] = name;
    }
    return true;
}

static enum direction direction_of(const struct event_reader *reader, const json_t *event,
                                   const struct peer_evidence sides[2])
{
    if (peer_namer_has_local(reader->namer))
        return peer_direction(reader->namer, &sides[SIDE_CLIENT].address,
                              &sides[SIDE_SERVER].address);
    const char *word = event_text(event, "direction");
    for (unsigned i = DIRECTION_INBOUND; word && i <= DIRECTION_EXTERNAL; i++)
        if (strcmp(word, word_direction((enum direction)i)) == 0)
            return (enum direction)i;
    return DIRECTION_NONE;
}

static bool side_is_ours(enum direction direction, enum side side)
{
    return direction == DIRECTION_INTERNAL ||
           (direction == DIRECTION_INBOUND && side == SIDE_SERVER) ||
           (direction == DIRECTION_OUTBOUND && side == SIDE_CLIENT);
}

static void fill_pair(struct event_reader *reader, enum direction direction,
                      const struct peer_evidence sides[2], struct pair_key *pair)
{
    struct aggregate *aggregate = reader->aggregate;
    pair->direction = (uint8_t)direction;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        bool ours = side_is_ours(direction, (enum side)side);
        struct peer_name name = ours ? peer_host_name(reader->namer, &sides[side])
                                     : peer_identify(reader->namer, &sides[side]);
        pair->name[side] = aggregate_string(aggregate, name.name);
        pair->by[side] = (uint8_t)name.by;
        if (ours || direction == DIRECTION_NONE)
            pair->address[side] = aggregate_string(aggregate, sides[side].ip);
    }
}

static void add_incidents(struct event_reader *reader, const json_t *event, int64_t ns,
                          uint32_t findings, const struct peer_evidence sides[2])
{
    struct aggregate *aggregate = reader->aggregate;
    for (unsigned i = 0; i < FINDING_COUNT; i++) {
        if (!(findings >> i & 1) || (word_finding_class((enum finding)i) != FINDING_ATTACK &&
                                     i != FINDING_PLAINTEXT_FALLBACK))
            continue;
        struct incident incident = {.time_ns = ns, .finding = i};
        incident.uid = aggregate_string(aggregate, event_text(event, "uid"));
        incident.client = aggregate_string(aggregate, sides[SIDE_CLIENT].ip);
        incident.server = aggregate_string(aggregate, sides[SIDE_SERVER].ip);
        incident.client_name = aggregate_string(aggregate, sides[SIDE_CLIENT].announced);
        incident.server_name = aggregate_string(aggregate, sides[SIDE_SERVER].announced);
        aggregate_incident(aggregate, &incident);
    }
}

static void add_certificate(struct event_reader *reader, const json_t *event, int64_t seconds,
                            const struct peer_evidence *server)
{
    struct aggregate *aggregate = reader->aggregate;
    const json_t *x509 =
        json_object_get(json_object_get(json_object_get(event, "tls"), "server"), "x509");
    const char *ends = event_text(x509, "not_after");
    int64_t not_after;
    if (!ends || !event_time(ends, &not_after))
        return;
    const char *name = server->certificates
                           ? server->certificate[0]
                           : event_text(json_object_get(x509, "subject"), "distinguished_name");
    struct certificate_seen seen = {.last = seconds, .sessions = 1};
    seen.key.not_after = not_after / NS;
    seen.key.sha256 = aggregate_string(aggregate, event_text(x509, "sha256"));
    seen.key.server = aggregate_string(aggregate, server->ip);
    seen.key.name = aggregate_string(aggregate, name);
    aggregate_certificate(aggregate, &seen);
}

static void add_sign_of_life(struct aggregate *aggregate, const json_t *event, int64_t seconds,
                             bool stats)
{
    const json_t *sensor = json_object_get(event, "sensor");
    const char *place = event_text(sensor, "interface");
    struct sensor_day day = {.sessions = !stats, .stats = stats};
    day.key.day = aggregate_day(seconds);
    day.key.name = aggregate_string(aggregate, event_text(sensor, "name"));
    day.key.place = aggregate_string(aggregate, place ? place : event_text(sensor, "file"));
    unsigned slot = (unsigned)(seconds - day.key.day) / SENSOR_SLOT;
    if (slot < SENSOR_SLOTS)
        day.alive[slot / 8] = (uint8_t)(1 << slot % 8);
    aggregate_sensor(aggregate, &day);
}

static bool port_wanted(const struct event_reader *reader, const json_t *event)
{
    if (!reader->ports)
        return true;
    json_int_t port = json_integer_value(json_object_get(json_object_get(event, "server"), "port"));
    return port > 0 && port <= 65535 && (reader->ports[port / 8] >> port % 8 & 1);
}

const char *event_session(struct event_reader *reader, const json_t *event)
{
    struct aggregate *aggregate = reader->aggregate;
    const char *time = event_text(event, "time"), *outcome = event_text(event, "outcome");
    int64_t ns;
    if (!time || !event_time(time, &ns))
        return "a session without a time in UTC";
    if (!outcome || word_outcome_of(outcome) == OUTCOME_COUNT)
        return "a session with an outcome that is not known";
    struct peer_evidence sides[2];
    if (!gather(event, SIDE_CLIENT, &sides[SIDE_CLIENT]) ||
        !gather(event, SIDE_SERVER, &sides[SIDE_SERVER]))
        return "a session without the addresses of client and server";
    if (!port_wanted(reader, event)) {
        reader->other_ports++;
        return NULL;
    }
    struct posture posture = {.outcome = (uint8_t)word_outcome_of(outcome)};
    struct pair_key pair = {0};
    fill_posture(aggregate, event, &posture);
    fill_pair(reader, direction_of(reader, event, sides), sides, &pair);
    int64_t seconds = ns / NS - (ns % NS < 0);
    aggregate_period(aggregate, ns, ns);
    aggregate_count(aggregate, &pair, &posture, seconds, 1);
    add_incidents(reader, event, ns, posture.findings, sides);
    if (posture.flags & POSTURE_CERTIFICATE)
        add_certificate(reader, event, seconds, &sides[SIDE_SERVER]);
    add_sign_of_life(aggregate, event, seconds, false);
    reader->sessions++;
    return NULL;
}

static uint64_t count_of(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

/* Counters grow from the start of mxtap: the start tells runs apart. Without one (an older mxtap) a
 * live sensor counts as one run. */
const char *event_stats(struct event_reader *reader, const json_t *event)
{
    struct aggregate *aggregate = reader->aggregate;
    const char *time = event_text(event, "time");
    int64_t ns;
    if (!time || !event_time(time, &ns))
        return "stats without a time in UTC";
    const json_t *sensor = json_object_get(event, "sensor"),
                 *drops = json_object_get(event, "drops");
    const char *started = event_text(event, "started");
    struct run run = {
        .key.name = aggregate_string(aggregate, event_text(sensor, "name")),
        .key.place = aggregate_string(aggregate, event_text(sensor, "interface")),
        .key.run = aggregate_string(aggregate, started ? started
                                               : drops ? NULL
                                                       : time),
        .key.live = drops != NULL,
        .packets = count_of(event, "packets"),
        .received = count_of(drops, "received"),
        .dropped = count_of(drops, "kernel") + count_of(drops, "interface"),
        .lost = count_of(json_object_get(event, "counters"), "events_lost"),
        .last = ns / NS - (ns % NS < 0),
    };
    aggregate_run(aggregate, &run);
    if (drops)
        add_sign_of_life(aggregate, event, run.last, true);
    reader->stats++;
    return NULL;
}
