// Reads and writes frames. A large one leaves in two pieces, as from ttrpc-go, which writes through a buffer of 4 KiB.
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WRITE_BUFFER_BYTES = 4096 };

static bool read_all(int fd, uint8_t *bytes, size_t count) {
  while (count > 0) {
    ssize_t done = read(fd, bytes, count);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes += done;
    count -= (size_t)done;
  }
  return true;
}

static bool write_all(int fd, const uint8_t *bytes, size_t count) {
  while (count > 0) {
    ssize_t done = send(fd, bytes, count, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes += done;
    count -= (size_t)done;
  }
  return true;
}

static uint32_t read_u32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void write_u32(uint8_t *bytes, uint32_t value) {
  for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

bool frame_read(int fd, struct frame *frame) {
  uint8_t header[FRAME_HEADER_BYTES];
  if (!read_all(fd, header, sizeof header)) return false;
  *frame = (struct frame){
      .length = read_u32(header), .stream = read_u32(header + 4), .type = header[8], .flags = header[9]};
  if (frame->length > FRAME_BYTES_MAX) return false;
  if (frame->length == 0) return true;
  frame->payload = malloc(frame->length);
  if (!frame->payload) abort();
  if (read_all(fd, frame->payload, frame->length)) return true;
  free(frame->payload);
  frame->payload = NULL;
  return false;
}

bool frame_write(int fd, const struct frame *frame) {
  uint8_t first[WRITE_BUFFER_BYTES];
  write_u32(first, frame->length);
  write_u32(first + 4, frame->stream);
  first[8] = frame->type;
  first[9] = frame->flags;
  size_t room = sizeof first - FRAME_HEADER_BYTES;
  size_t count = frame->length < room ? frame->length : room;
  if (count > 0) memcpy(first + FRAME_HEADER_BYTES, frame->payload, count);
  if (!write_all(fd, first, FRAME_HEADER_BYTES + count)) return false;
  return count == frame->length || write_all(fd, frame->payload + count, frame->length - count);
}
