// XXH3 for the digest, compiled in from xxhash's header so that the library needs no other. Internal:
// not installed.
#ifndef SWIFTLET_DIGEST_STATE_H
#define SWIFTLET_DIGEST_STATE_H
#include <stddef.h>
#include <stdint.h>

typedef struct swl_digest_state swl_digest_state;

swl_digest_state *_Nullable swl_digest_state_create(void);
void swl_digest_state_free(swl_digest_state *_Nonnull state);
void swl_digest_state_reset(swl_digest_state *_Nonnull state);
void swl_digest_state_add(swl_digest_state *_Nonnull state, const void *_Nullable bytes,
                          size_t count);
uint64_t swl_digest_state_value(const swl_digest_state *_Nonnull state);
#endif
