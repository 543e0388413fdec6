/* Assertions for the tests: a failed one prints where and what, and ends the program with status 1. */
#ifndef TWIND_CHECK_H
#define TWIND_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

#define CHECK_EQUAL(got, wanted)                                                                               \
  do {                                                                                                         \
    long long got_ = (long long)(got), wanted_ = (long long)(wanted);                                          \
    if (got_ != wanted_) {                                                                                     \
      fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_, wanted_);               \
      exit(1);                                                                                                 \
    }                                                                                                          \
  } while (0)

#define CHECK_TEXT(got, wanted)                                                                            \
  do {                                                                                                     \
    const char *got_ = (got), *wanted_ = (wanted);                                                         \
    if (strcmp(got_, wanted_) != 0) {                                                                      \
      fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #got, got_, wanted_);       \
      exit(1);                                                                                             \
    }                                                                                                      \
  } while (0)

/* The error has this code, and its message names what matters. */
#define CHECK_ERROR(error, wanted_code, part)                                                                   \
  do {                                                                                                          \
    if ((error).code != (wanted_code) || !strstr((error).message, (part))) {                                    \
      fprintf(stderr, "%s:%d: error %d \"%s\", not %d with \"%s\"\n", __FILE__, __LINE__, (error).code,         \
              (error).message, (wanted_code), (part));                                                          \
      exit(1);                                                                                                  \
    }                                                                                                           \
  } while (0)

#define RUN(test)          \
  do {                     \
    test();                \
    printf("ok %s\n", #test); \
    fflush(stdout);        \
  } while (0)

#endif
