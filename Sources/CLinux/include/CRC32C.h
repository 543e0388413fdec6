// CRC-32C (Castagnoli; RFC 3720 appendix B.4), with the processor's instruction where it has one.
//
// Promises: twind_crc32c and twind_crc32c_by_table give the same result for the same bytes. A checksum continues:
// crc(crc(seed, a), b) is crc(seed, a then b). A seed other than 0 makes the checksum of one file useless in another.
#ifndef TWIND_CRC32C_H
#define TWIND_CRC32C_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

// The remainder of a byte is the sum of those of its bits (the checksum is linear), so eight numbers make the table.
#define TWIND_CRC_BIT(byte, bit, remainder) (((byte) >> (bit)) & 1 ? remainder : 0u)
#define TWIND_CRC_1(b)                                                                                \
  (TWIND_CRC_BIT(b, 0, 0xf26b8303u) ^ TWIND_CRC_BIT(b, 1, 0xe13b70f7u) ^                              \
   TWIND_CRC_BIT(b, 2, 0xc79a971fu) ^ TWIND_CRC_BIT(b, 3, 0x8ad958cfu) ^                              \
   TWIND_CRC_BIT(b, 4, 0x105ec76fu) ^ TWIND_CRC_BIT(b, 5, 0x20bd8edeu) ^                              \
   TWIND_CRC_BIT(b, 6, 0x417b1dbcu) ^ TWIND_CRC_BIT(b, 7, 0x82f63b78u))
#define TWIND_CRC_4(b) TWIND_CRC_1(b), TWIND_CRC_1(b + 1), TWIND_CRC_1(b + 2), TWIND_CRC_1(b + 3)
#define TWIND_CRC_16(b) TWIND_CRC_4(b), TWIND_CRC_4(b + 4), TWIND_CRC_4(b + 8), TWIND_CRC_4(b + 12)
#define TWIND_CRC_64(b) TWIND_CRC_16(b), TWIND_CRC_16(b + 16), TWIND_CRC_16(b + 32), TWIND_CRC_16(b + 48)

static inline uint32_t twind_crc32c_by_table(uint32_t seed, const void *bytes, size_t count) {
  static const uint32_t table[256] = {TWIND_CRC_64(0), TWIND_CRC_64(64), TWIND_CRC_64(128), TWIND_CRC_64(192)};
  const uint8_t *next = bytes;
  uint32_t crc = ~seed;
  for (size_t i = 0; i < count; i++) crc = table[(crc ^ next[i]) & 0xff] ^ (crc >> 8);
  return ~crc;
}

#if defined(__x86_64__)

static inline int twind_crc32c_has_instruction(void) { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) static inline uint32_t twind_crc32c_by_instruction(
    uint32_t seed, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  uint64_t crc = (uint32_t)~seed;
  for (; count >= 8; count -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  for (; count > 0; count--, next++) crc = __builtin_ia32_crc32qi((uint32_t)crc, *next);
  return ~(uint32_t)crc;
}

#elif defined(__aarch64__)

// HWCAP_CRC32 of <asm/hwcap.h>.
static inline int twind_crc32c_has_instruction(void) { return (getauxval(AT_HWCAP) & (1ul << 7)) != 0; }

__attribute__((target("crc"))) static inline uint32_t twind_crc32c_by_instruction(
    uint32_t seed, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  uint32_t crc = ~seed;
  for (; count >= 8; count -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    crc = __builtin_arm_crc32cd(crc, word);
  }
  for (; count > 0; count--, next++) crc = __builtin_arm_crc32cb(crc, *next);
  return ~crc;
}

#else

static inline int twind_crc32c_has_instruction(void) { return 0; }

static inline uint32_t twind_crc32c_by_instruction(uint32_t seed, const void *bytes, size_t count) {
  return twind_crc32c_by_table(seed, bytes, count);
}

#endif

// The checksum of `count` bytes, continued from `seed` (0 = a new one).
static inline uint32_t twind_crc32c(uint32_t seed, const void *bytes, size_t count) {
  return twind_crc32c_has_instruction() ? twind_crc32c_by_instruction(seed, bytes, count)
                                        : twind_crc32c_by_table(seed, bytes, count);
}

#undef TWIND_CRC_BIT
#undef TWIND_CRC_1
#undef TWIND_CRC_4
#undef TWIND_CRC_16
#undef TWIND_CRC_64

#endif
