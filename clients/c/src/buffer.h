/* A growing byte queue: append at the end, consume from the start. Not thread-safe. */
#ifndef TWIND_BUFFER_H
#define TWIND_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
  uint8_t *bytes;
  size_t start, end, capacity; /* the contents: bytes[start..<end] */
};

static inline size_t buffer_size(const struct buffer *buffer) { return buffer->end - buffer->start; }
static inline uint8_t *buffer_data(const struct buffer *buffer) { return buffer->bytes + buffer->start; }

/* Makes room for `extra` bytes at the end. False if out of memory. */
bool buffer_reserve(struct buffer *buffer, size_t extra);
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);
/* Removes bytes from the start. A buffer above 256 KiB is freed when it becomes empty. */
void buffer_consume(struct buffer *buffer, size_t length);
void buffer_free(struct buffer *buffer);

#endif
