/* What went wrong: the canonical gRPC status codes, a message, and machine-readable details.
 *
 * A twind_error owns nothing: declare one on the stack, pass its address, copy it freely. Every function that
 * takes one writes it, with code TWIND_OK on success; NULL means that the caller does not want to know.
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
  TWIND_UNAVAILABLE = 14, /* of a write: the outcome is unknown; repeat it with an idempotency key */
  TWIND_DATA_LOSS = 15,
  TWIND_UNAUTHENTICATED = 16
};

typedef struct twind_error {
  int code;              /* a twind_code */
  char message[512];     /* UTF-8, always terminated, cut at a character when longer */
  uint16_t detail_bytes; /* private, with `details`: the status's details, encoded */
  uint8_t details[1024];
} twind_error;

/* "NOT_FOUND" and the like; "UNKNOWN" for a number that is no code. */
TWIND_API const char *twind_code_name(int code);

/* The first detail of the wanted type, or NULL when there is none:
 *
 *     Twind__V1__ConflictDetail *conflict = twind_error_detail(&error, &twind__v1__conflict_detail__descriptor);
 *
 * Release it with twind_free. Details beyond 1 KiB encoded are not kept. */
TWIND_API void *twind_error_detail(const twind_error *error, const ProtobufCMessageDescriptor *type);

/* Releases a message that this library returned; NULL is fine. Never a message from elsewhere. */
TWIND_API void twind_free(void *message);

#ifdef __cplusplus
}
#endif
#endif
