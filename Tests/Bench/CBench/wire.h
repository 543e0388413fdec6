// What the lean client and the echo server share: numbers and ends of messages on the wire.
#ifndef TWIND_BENCH_WIRE_H
#define TWIND_BENCH_WIRE_H

#include "CBench.h"

enum { BENCH_HEADER_BYTES = 10, BENCH_RESPONSE = 2, BENCH_DATA = 3, BENCH_CANCEL = 0x10 };

static inline uint32_t bench_be32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void bench_put_be32(uint8_t *bytes, uint32_t number) {
  bytes[0] = (uint8_t)(number >> 24);
  bytes[1] = (uint8_t)(number >> 16);
  bytes[2] = (uint8_t)(number >> 8);
  bytes[3] = (uint8_t)number;
}

static inline void bench_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// The length of the RESP reply at the beginning of the bytes; 0 = it is not whole, -1 = it is none.
int64_t bench_resp_length(const uint8_t *bytes, size_t count);

#endif
