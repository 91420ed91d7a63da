#include "SwiftletDigestState.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct swl_digest_state {
  XXH3_state_t state;
};

swl_digest_state *swl_digest_state_create(void) {
  swl_digest_state *made = (swl_digest_state *)XXH3_createState();
  if (made) swl_digest_state_reset(made);
  return made;
}
void swl_digest_state_free(swl_digest_state *state) { XXH3_freeState(&state->state); }
void swl_digest_state_reset(swl_digest_state *state) { XXH3_64bits_reset(&state->state); }
void swl_digest_state_add(swl_digest_state *state, const void *bytes, size_t count) {
  if (bytes && count) XXH3_64bits_update(&state->state, bytes, count);
}
uint64_t swl_digest_state_value(const swl_digest_state *state) {
  return XXH3_64bits_digest(&state->state);
}
