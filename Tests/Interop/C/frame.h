// Frames of ttrpc on a socket, read and written whole. Both calls block.
//
//   0               4               8      9       10
//   +---------------+---------------+------+-------+---------------+
//   | length, u32be | stream, u32be | type | flags | length bytes  |
//   +---------------+---------------+------+-------+---------------+
#ifndef INTEROP_FRAME_H
#define INTEROP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEADER_BYTES = 10, FRAME_BYTES_MAX = 4 << 20 };
enum { FRAME_REQUEST = 1, FRAME_RESPONSE = 2, FRAME_DATA = 3 };
enum { REMOTE_CLOSED = 1, REMOTE_OPEN = 2, NO_DATA = 4 };

struct frame {
  uint32_t stream;
  uint8_t type, flags;
  uint32_t length;
  uint8_t *payload;  // From malloc; NULL when there is none.
};

// The next frame; false when the connection has ended or the frame is over 4 MiB.
bool frame_read(int fd, struct frame *frame);

// False when the connection has ended. Like ttrpc-go 1.2.3 it sends what the server will not take, too.
bool frame_write(int fd, const struct frame *frame);

#endif
