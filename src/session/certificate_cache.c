/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates by digest: the few that a site meets again and again are read once and shared. */
#include <stddef.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/hashmap.h"
#include "base/limits.h"
#include "base/memory.h"
#include "session/certificate.h"

/* The certificate comes first: a reference to it is one to the entry. */
struct entry {
    struct certificate certificate;
    struct hashlink link;
    struct entry *newer, *older; /* by use */
    size_t size;                 /* bytes that it holds */
};

struct certificate_cache {
    struct digests *digests;
    struct hashmap map;
    struct entry *newest, *oldest;
    size_t size;     /* bytes held by all entries */
    int64_t second;  /* of packet time, to which the budget belongs */
    uint32_t budget; /* what may still be read in it, in usual certificates */
    struct certificate_counts counts;
};

/*
 * A public key (RFC 5280 4.1.2.7) with an RSA modulus of 8 bits. Reading it makes libcrypto fetch
 * decoders and key types, and read its configuration, while files may still be opened.
 */
static void warm_up(void)
{
    static const uint8_t key[] = {0x30, 0x1a, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x09, 0x00,
                                  0x30, 0x06, 0x02, 0x01, 0x77, 0x02, 0x01, 0x03};
    const unsigned char *next = key;
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
    EVP_PKEY_free(d2i_PUBKEY(NULL, &next, (long)sizeof key));
    ERR_clear_error();
}

struct certificate_cache *certificate_cache_new(struct digests *digests)
{
    struct certificate_cache *cache = memory_new(sizeof *cache);
    if (!cache)
        return NULL;
    if (!hashmap_init(&cache->map)) {
        memory_free(cache);
        return NULL;
    }
    cache->digests = digests;
    cache->second = INT64_MIN;
    warm_up();
    return cache;
}

static void entry_free(struct entry *entry)
{
    certificate_clear(&entry->certificate);
    memory_free(entry);
}

static void list_remove(struct certificate_cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void list_add(struct certificate_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

/* The cache lets go of an entry; records that show it keep it alive. */
static void drop_oldest(struct certificate_cache *cache)
{
    struct entry *entry = cache->oldest;
    list_remove(cache, entry);
    hashmap_remove(&cache->map, &entry->link);
    cache->size -= entry->size;
    certificate_release(cache, &entry->certificate);
}

static struct entry *find(const struct certificate_cache *cache, const uint8_t *sha256,
                          uint64_t hash)
{
    struct hashlink *link = hashmap_first(&cache->map, hash);
    for (; link; link = hashmap_next(link, hash)) {
        struct entry *entry = (struct entry *)(void *)((char *)link - offsetof(struct entry, link));
        if (memcmp(entry->certificate.sha256, sha256, sizeof entry->certificate.sha256) == 0)
            return entry;
    }
    return NULL;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static size_t entry_size(const struct certificate *certificate)
{
    size_t size = sizeof(struct entry) + text_size(certificate->subject) +
                  text_size(certificate->issuer) + text_size(certificate->serial) +
                  text_size(certificate->common_name);
    for (unsigned i = 0; i < certificate->name_count; i++)
        size += sizeof *certificate->names + 1 + text_size(certificate->names[i]);
    return size;
}

static void insert(struct certificate_cache *cache, struct entry *entry, uint64_t hash)
{
    entry->size = entry_size(&entry->certificate);
    entry->certificate.references++;
    hashmap_insert(&cache->map, &entry->link, hash);
    list_add(cache, entry);
    cache->size += entry->size;
    while (cache->map.count > LIMIT_CERTIFICATES_CACHED ||
           (cache->size > LIMIT_CERTIFICATE_CACHE_BYTES && cache->oldest != entry))
        drop_oldest(cache);
}

/*
 * Time goes with size (names above all), so that each 2 KiB begun cost what a usual certificate
 * does. Packet time never goes back; if it did, the budget of the later second would go on.
 */
static bool within_budget(struct certificate_cache *cache, size_t length, int64_t now_ns)
{
    int64_t second = now_ns / 1000000000;
    uint32_t cost = (uint32_t)(length / 2048) + 1;
    if (second > cache->second) {
        cache->second = second;
        cache->budget = LIMIT_CERTIFICATES_PER_SECOND;
    }
    if (cache->budget < cost)
        return false;
    cache->budget -= cost;
    return true;
}

/* Reads a certificate that was not met before. False without memory. */
static bool read_new(struct certificate_cache *cache, struct entry *entry, struct slice der,
                     uint64_t hash)
{
    switch (certificate_read(&entry->certificate, der)) {
    case CERTIFICATE_READ: cache->counts.read++; break;
    case CERTIFICATE_MALFORMED: cache->counts.malformed++; break;
    case CERTIFICATE_NO_MEMORY: return false;
    }
    insert(cache, entry, hash); /* one that cannot be read as well: it must not be tried again */
    return true;
}

struct certificate *certificate_get(struct certificate_cache *cache, struct slice der,
                                    int64_t now_ns)
{
    uint8_t sha256[DIGEST_MAX];
    if (!digest_begin(cache->digests, DIGEST_SHA256) ||
        !digest_add(cache->digests, der.data, der.length) || !digest_end(cache->digests, sha256))
        return NULL;
    uint64_t hash = hashmap_hash(&cache->map, sha256, DIGEST_SHA256_SIZE);
    struct entry *entry = find(cache, sha256, hash);
    if (entry) {
        list_remove(cache, entry);
        list_add(cache, entry);
        entry->certificate.references++;
        return &entry->certificate;
    }
    entry = memory_new(sizeof *entry);
    if (!entry)
        return NULL;
    entry->size = sizeof *entry;
    entry->certificate.references = 1;
    memcpy(entry->certificate.sha256, sha256, sizeof entry->certificate.sha256);
    if (der.length > LIMIT_CERTIFICATE) {
        cache->counts.too_large++;
    } else if (!within_budget(cache, der.length, now_ns)) {
        cache->counts.over_budget++;
    } else if (!read_new(cache, entry, der, hash)) {
        entry_free(entry);
        return NULL;
    }
    return &entry->certificate;
}

void certificate_release(struct certificate_cache *cache, struct certificate *certificate)
{
    (void)cache;
    if (certificate && --certificate->references == 0)
        entry_free((struct entry *)(void *)certificate);
}

size_t certificate_size(const struct certificate *certificate)
{
    return ((const struct entry *)(const void *)certificate)->size;
}

const struct certificate_counts *certificate_cache_counts(const struct certificate_cache *cache)
{
    return &cache->counts;
}

void certificate_cache_free(struct certificate_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        drop_oldest(cache);
    hashmap_close(&cache->map);
    memory_free(cache);
}
