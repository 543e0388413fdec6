/* ttrpc frames. */
#include "frame.h"

static void put_u32(uint8_t *out, uint32_t number) {
  out[0] = (uint8_t)(number >> 24);
  out[1] = (uint8_t)(number >> 16);
  out[2] = (uint8_t)(number >> 8);
  out[3] = (uint8_t)number;
}

static uint32_t get_u32(const uint8_t *in) {
  return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

void frame_write_header(uint8_t header[FRAME_HEADER_BYTES], const struct frame *frame) {
  put_u32(header, frame->length);
  put_u32(header + 4, frame->stream);
  header[8] = frame->type;
  header[9] = frame->flags;
}

void frame_set_stream(uint8_t header[FRAME_HEADER_BYTES], uint32_t stream) { put_u32(header + 4, stream); }

enum frame_status frame_peek(const struct buffer *buffer, struct frame *frame) {
  size_t size = buffer_size(buffer);
  if (size < FRAME_HEADER_BYTES) return FRAME_PARTIAL;
  const uint8_t *header = buffer_data(buffer);
  *frame = (struct frame){
      .length = get_u32(header),
      .stream = get_u32(header + 4),
      .type = header[8],
      .flags = header[9],
      .payload = header + FRAME_HEADER_BYTES,
  };
  if (frame->length > FRAME_PAYLOAD_BYTES_MAX) return FRAME_TOO_LARGE;
  return size - FRAME_HEADER_BYTES < frame->length ? FRAME_PARTIAL : FRAME_WHOLE;
}

void frame_consume(struct buffer *buffer, const struct frame *frame) {
  buffer_consume(buffer, FRAME_HEADER_BYTES + frame->length);
}
