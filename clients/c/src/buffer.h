/* A growing run of bytes that is filled at its end and consumed from its start. Used by one thread at a time. */
#ifndef TWIND_BUFFER_H
#define TWIND_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
  uint8_t *bytes;
  size_t start, end, capacity; /* what is in it: bytes[start..<end] */
};

static inline size_t buffer_size(const struct buffer *buffer) { return buffer->end - buffer->start; }
static inline uint8_t *buffer_data(const struct buffer *buffer) { return buffer->bytes + buffer->start; }

/* Room for `extra` bytes at the end; false when memory ends. */
bool buffer_reserve(struct buffer *buffer, size_t extra);
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);
/* Takes bytes off the start. An emptied buffer above 256 KiB gives its memory back. */
void buffer_consume(struct buffer *buffer, size_t length);
void buffer_free(struct buffer *buffer);

#endif
