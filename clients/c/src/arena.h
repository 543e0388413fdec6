/* Unpacking with protobuf-c into memory of bounded size that is released in one piece.
 *
 * Promises: unpacking n bytes takes at most factor x n + 64 KiB in all. What protobuf-c frees on the way is not
 * given back, so the bound also covers work: repeated sub-messages, which it merges in quadratic time, run out
 * of budget first.
 */
#ifndef TWIND_ARENA_H
#define TWIND_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

enum {
  /* A twin full of lists of small integers, which the API allows, takes 30 bytes a byte (measured). */
  UNPACK_FACTOR_DEFAULT = 32,
  UNPACK_ALLOWANCE_BYTES = 64 * 1024
};

/* The message, to be released with twind_free; NULL when the bytes are not of this type or the budget or the
 * memory ends. */
void *arena_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length, uint32_t factor);

/* Zeroed memory for one message and what it points to, released with twind_free; NULL when memory ends. */
void *arena_block(size_t bytes);

#endif
