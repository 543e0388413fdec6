/* A ProtobufCAllocator that allocates from a chain of blocks.
 *
 * protobuf-c allocates the message itself first, so the message is at the start of the first block:
 *
 *     +--------------+------------+---------+------------------+
 *     | struct block | message    | ...     | not yet used     |
 *     +--------------+------------+---------+------------------+
 *
 * and twind_free finds the chain through the message's address.
 */
#include "arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <twind/error.h>

struct block {
  alignas(max_align_t) struct block *next; /* the next older block; in the first block: the newest */
};

struct arena {
  struct block *first;
  uint8_t *free_start, *free_end;
  size_t block_bytes; /* of the next block */
  size_t budget;      /* bytes that may still be taken from malloc */
};

static bool arena_grow(struct arena *arena, size_t wanted) {
  if (wanted > arena->budget) return false;
  size_t bytes = wanted > arena->block_bytes ? wanted : arena->block_bytes;
  if (bytes > arena->budget) bytes = arena->budget;
  struct block *block = malloc(sizeof(struct block) + bytes);
  if (!block) return false;
  arena->budget -= bytes;
  arena->block_bytes = bytes * 2;
  arena->free_start = (uint8_t *)(block + 1);
  arena->free_end = arena->free_start + bytes;
  if (arena->first) {
    block->next = arena->first->next;
    arena->first->next = block;
  } else {
    block->next = NULL;
    arena->first = block;
  }
  return true;
}

static void *arena_alloc(void *context, size_t size) {
  struct arena *arena = context;
  if (size > SIZE_MAX - 7) return NULL;
  size = (size + 7) & ~(size_t)7;
  if (size > (size_t)(arena->free_end - arena->free_start) && !arena_grow(arena, size)) return NULL;
  void *result = arena->free_start;
  arena->free_start += size;
  return result;
}

static void arena_keep(void *context, void *pointer) {
  (void)context;
  (void)pointer;
}

static void free_chain(struct block *first) {
  while (first) {
    struct block *next = first->next;
    free(first);
    first = next;
  }
}

void *arena_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length, uint32_t factor) {
  /* Most messages need less than six times their encoded size: one block is enough. */
  struct arena arena = {
      .block_bytes = type->sizeof_message + 64 + length * 6,
      .budget = type->sizeof_message + length * factor + UNPACK_ALLOWANCE_BYTES,
  };
  ProtobufCAllocator allocator = {.alloc = arena_alloc, .free = arena_keep, .allocator_data = &arena};
  void *message = protobuf_c_message_unpack(type, &allocator, length, bytes);
  if (message && message == (void *)(arena.first + 1)) return message;
  free_chain(arena.first);
  return NULL;
}

void *arena_block(size_t bytes) {
  struct block *block = calloc(1, sizeof *block + bytes);
  return block ? block + 1 : NULL;
}

void twind_free(void *message) {
  if (message) free_chain((struct block *)message - 1);
}
