/* Deadlines, in nanoseconds on the monotonic clock. INT64_MAX means never; arithmetic saturates. */
#ifndef TWIND_CLOCK_H
#define TWIND_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NO_DEADLINE INT64_MAX

static inline int64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t saturating_nanos(int64_t micros) {
  if (micros < 0) return -1;
  return micros > INT64_MAX / 1000 ? INT64_MAX : micros * 1000;
}

static inline int64_t deadline_after(int64_t nanos) {
  int64_t now = clock_now();
  return nanos > INT64_MAX - now ? NO_DEADLINE : now + nanos;
}

static inline bool deadline_passed(int64_t deadline) { return deadline != NO_DEADLINE && clock_now() >= deadline; }

static inline int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

static inline struct timespec timespec_of(int64_t nanos) {
  if (nanos < 0) nanos = 0;
  return (struct timespec){.tv_sec = nanos / 1000000000, .tv_nsec = nanos % 1000000000};
}

/* The timeout for ppoll; NULL if there is none. */
static inline const struct timespec *time_left(int64_t deadline, struct timespec *storage) {
  if (deadline == NO_DEADLINE) return NULL;
  *storage = timespec_of(deadline - clock_now());
  return storage;
}

#endif
