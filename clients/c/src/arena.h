/* Unpacks protobuf messages into a bounded amount of memory that is freed in one piece.
 *
 * Unpacking n bytes allocates at most factor x n + 64 KiB in total. Memory that protobuf-c frees on the way still
 * counts, so the limit also bounds the time: a singular sub-message that appears many times, which protobuf-c merges in
 * quadratic time, hits the limit first.
 */
#ifndef TWIND_ARENA_H
#define TWIND_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

enum {
  /* The worst case that the API allows, a twin of lists of small integers, needs 30 bytes per byte (measured). */
  UNPACK_FACTOR_DEFAULT = 32,
  UNPACK_ALLOWANCE_BYTES = 64 * 1024
};

/* Returns the message, to be released with twind_free. NULL if the bytes are malformed, exceed the limit, or there is
 * no memory. */
void *arena_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length, uint32_t factor);

/* Zeroed memory for a message and everything it points to, to be released with twind_free. NULL if out of memory. */
void *arena_block(size_t bytes);

#endif
