/* Errors: a gRPC status code, a message, and machine-readable details.
 *
 *     twind_error error;
 *     twind_client *client = twind_connect(NULL, NULL, &error);
 *     if (!client) fprintf(stderr, "%s: %s\n", twind_code_name(error.code), error.message);
 *
 * Every function that takes a twind_error sets it, to TWIND_OK on success. Pass NULL if you do not need it. It holds no
 * pointers: keep it on the stack, copy it, and never free it.
 */
#ifndef TWIND_ERROR_H
#define TWIND_ERROR_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TWIND_API
#define TWIND_API __attribute__((visibility("default")))
#endif

enum twind_code {
  TWIND_OK = 0,
  TWIND_CANCELLED = 1,
  TWIND_UNKNOWN = 2,
  TWIND_INVALID_ARGUMENT = 3,
  TWIND_DEADLINE_EXCEEDED = 4,
  TWIND_NOT_FOUND = 5,
  TWIND_ALREADY_EXISTS = 6,
  TWIND_PERMISSION_DENIED = 7,
  TWIND_RESOURCE_EXHAUSTED = 8,
  TWIND_FAILED_PRECONDITION = 9,
  TWIND_ABORTED = 10,
  TWIND_OUT_OF_RANGE = 11,
  TWIND_UNIMPLEMENTED = 12,
  TWIND_INTERNAL = 13,
  TWIND_UNAVAILABLE = 14, /* the connection failed; a write may have taken effect if the message says so */
  TWIND_DATA_LOSS = 15,
  TWIND_UNAUTHENTICATED = 16
};

typedef struct twind_error {
  int code;              /* a twind_code */
  char message[512];     /* UTF-8, NUL-terminated; a longer message is cut at the end of a character */
  uint16_t detail_bytes; /* private, as is `details`: the status's encoded details */
  uint8_t details[1024];
} twind_error;

/* The name of a code, such as "NOT_FOUND"; "UNKNOWN" if the number is not a code. */
TWIND_API const char *twind_code_name(int code);

/* Returns the first detail of a type, or NULL if there is none:
 *
 *     Twind__V1__ConflictDetail *conflict = twind_error_detail(&error, &twind__v1__conflict_detail__descriptor);
 *
 * Release it with twind_free. Only the first 1 KiB of encoded details is kept. */
TWIND_API void *twind_error_detail(const twind_error *error, const ProtobufCMessageDescriptor *type);

/* Releases a message that this library returned, with everything in it. Does nothing if `message` is NULL. Do not use
 * it for messages from elsewhere, nor protobuf-c's functions for messages from here. */
TWIND_API void twind_free(void *message);

#ifdef __cplusplus
}
#endif
#endif
