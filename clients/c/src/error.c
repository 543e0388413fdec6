/* Setting a twind_error and reading its details. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "fault.h"

static const char *const names[] = {
    "OK",         "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",  "DEADLINE_EXCEEDED",   "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
    "UNIMPLEMENTED",  "INTERNAL",       "UNAVAILABLE",       "DATA_LOSS",         "UNAUTHENTICATED",
};

static const char type_url_prefix[] = "type.googleapis.com/";

const char *twind_code_name(int code) {
  return code >= 0 && code <= TWIND_UNAUTHENTICATED ? names[code] : names[TWIND_UNKNOWN];
}

void fault_none(twind_error *error) {
  if (!error) return;
  error->code = TWIND_OK;
  error->message[0] = 0;
  error->detail_bytes = 0;
}

/* Drops a UTF-8 character that was cut in two by the end of the buffer. */
static void drop_partial_character(char *message, size_t length) {
  size_t start = length;
  while (start > 0 && ((unsigned char)message[start - 1] & 0xC0) == 0x80) start--;
  if (start == 0) return;
  unsigned char lead = (unsigned char)message[start - 1];
  size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (length - (start - 1) < wanted) message[start - 1] = 0;
}

void fault(twind_error *error, int code, const char *format, ...) {
  if (!error) return;
  fault_none(error);
  error->code = code;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof error->message) drop_partial_character(error->message, sizeof error->message - 1);
}

void fault_from_status(twind_error *error, const Ttrpc__Status *status) {
  if (!error) return;
  bool known = status->code > TWIND_OK && status->code <= TWIND_UNAUTHENTICATED;
  fault(error, known ? status->code : TWIND_UNKNOWN, "%s", status->message);
  Ttrpc__Status details = TTRPC__STATUS__INIT;
  details.details = status->details;
  details.n_details = status->n_details;
  while (ttrpc__status__get_packed_size(&details) > sizeof error->details) details.n_details--;
  error->detail_bytes = (uint16_t)ttrpc__status__pack(&details, error->details);
}

void *twind_error_detail(const twind_error *error, const ProtobufCMessageDescriptor *type) {
  if (error->detail_bytes == 0) return NULL;
  Ttrpc__Status *status =
      arena_unpack(&ttrpc__status__descriptor, error->details, error->detail_bytes, UNPACK_FACTOR_DEFAULT);
  void *detail = NULL;
  for (size_t i = 0; status && i < status->n_details && !detail; i++) {
    const Ttrpc__Any *any = status->details[i];
    size_t prefix = sizeof type_url_prefix - 1;
    if (strncmp(any->type_url, type_url_prefix, prefix) || strcmp(any->type_url + prefix, type->name)) continue;
    detail = arena_unpack(type, any->value.data, any->value.len, UNPACK_FACTOR_DEFAULT);
  }
  twind_free(status);
  return detail;
}
