/* ttrpc 1.2 frames, and twind's cancel frame.
 *
 *     +----------------+----------------+---------+----------+-----------+
 *     | length: u32 be | stream: u32 be | type u8 | flags u8 | payload   |
 *     +----------------+----------------+---------+----------+-----------+
 */
#ifndef TWIND_FRAME_H
#define TWIND_FRAME_H

#include "buffer.h"

enum {
  FRAME_HEADER_BYTES = 10,
  FRAME_PAYLOAD_BYTES_MAX = 4 * 1024 * 1024,
};

enum frame_type {
  FRAME_REQUEST = 1,
  FRAME_RESPONSE = 2,
  FRAME_DATA = 3,
  FRAME_CANCEL = 0x10, /* twind's extension: cancels the stream's call; other servers ignore it */
};

enum frame_flag {
  FRAME_REMOTE_CLOSED = 1,
  FRAME_REMOTE_OPEN = 2,
  FRAME_NO_DATA = 4,
};

struct frame {
  uint32_t stream;
  uint8_t type, flags;
  const uint8_t *payload; /* points into the buffer */
  uint32_t length;
};

void frame_write_header(uint8_t header[FRAME_HEADER_BYTES], const struct frame *frame);

/* Fills in the stream id of a frame. */
void frame_set_stream(uint8_t header[FRAME_HEADER_BYTES], uint32_t stream);

enum frame_status {
  FRAME_WHOLE,
  FRAME_PARTIAL,   /* more bytes are needed */
  FRAME_TOO_LARGE, /* its length, which is set in `frame`, is above 4 MiB: the rest cannot be parsed */
};

/* Parses the frame at the start of the buffer. Call frame_consume when its payload is no longer needed. */
enum frame_status frame_peek(const struct buffer *buffer, struct frame *frame);
void frame_consume(struct buffer *buffer, const struct frame *frame);

#endif
