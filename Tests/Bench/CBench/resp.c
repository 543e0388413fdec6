// Where a RESP2 reply ends.

#include "wire.h"

#include <string.h>

// The number behind a type byte, and where the line ends; 0 = not whole, -1 = no number.
static int64_t line(const uint8_t *bytes, size_t count, int64_t *number) {
  int64_t value = 0;
  int negative = 0;
  for (size_t at = 1; at + 1 < count; at++) {
    uint8_t byte = bytes[at];
    if (byte == '\r') {
      *number = negative ? -value : value;
      return bytes[at + 1] == '\n' ? (int64_t)at + 2 : -1;
    }
    if (at == 1 && byte == '-') {
      negative = 1;
    } else if (byte < '0' || byte > '9' || value > 1 << 30) {
      return -1;
    } else {
      value = value * 10 + (byte - '0');
    }
  }
  return 0;
}

static int64_t text_line(const uint8_t *bytes, size_t count) {
  const uint8_t *end = memchr(bytes, '\n', count);
  return end ? end - bytes + 1 : 0;
}

int64_t bench_resp_length(const uint8_t *bytes, size_t count) {
  size_t at = 0;
  // Elements still to come: an array adds its own.
  for (int64_t left = 1; left > 0; left--) {
    if (at >= count) return 0;
    int64_t number = 0, length;
    switch (bytes[at]) {
    case '+':
    case '-':
    case ':': length = text_line(bytes + at, count - at); break;
    case '$':
      length = line(bytes + at, count - at, &number);
      if (length > 0 && number >= 0) length += number + 2;
      break;
    case '*':
      length = line(bytes + at, count - at, &number);
      if (length > 0 && number > 0) left += number;
      break;
    default: return -1;
    }
    if (length <= 0) return length;
    at += (size_t)length;
    if (at > count) return 0;
  }
  return (int64_t)at;
}
