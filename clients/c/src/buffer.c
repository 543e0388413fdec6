/* A growing byte queue. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 4 * 1024, CAPACITY_KEPT_MAX = 256 * 1024 };

bool buffer_reserve(struct buffer *buffer, size_t extra) {
  if (buffer->capacity - buffer->end >= extra) return true;
  size_t size = buffer_size(buffer);
  if (buffer->start > 0) memmove(buffer->bytes, buffer_data(buffer), size);
  buffer->start = 0;
  buffer->end = size;
  if (buffer->capacity - size >= extra) return true;
  size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_MIN;
  while (capacity - size < extra) capacity *= 2;
  uint8_t *bytes = realloc(buffer->bytes, capacity);
  if (!bytes) return false;
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  return true;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length) {
  if (length == 0) return true;
  if (!buffer_reserve(buffer, length)) return false;
  memcpy(buffer->bytes + buffer->end, bytes, length);
  buffer->end += length;
  return true;
}

void buffer_consume(struct buffer *buffer, size_t length) {
  buffer->start += length;
  if (buffer->start < buffer->end) return;
  buffer->start = buffer->end = 0;
  if (buffer->capacity > CAPACITY_KEPT_MAX) buffer_free(buffer);
}

void buffer_free(struct buffer *buffer) {
  free(buffer->bytes);
  *buffer = (struct buffer){0};
}
