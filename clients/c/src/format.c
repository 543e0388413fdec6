/* twind_format. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <twind/value.h>

struct text {
  char *start;
  size_t size;   /* of the caller's buffer */
  size_t length; /* of the whole text, including what did not fit */
};

static void put_bytes(struct text *text, const char *bytes, size_t length) {
  if (text->length + 1 < text->size) {
    size_t room = text->size - text->length - 1;
    memcpy(text->start + text->length, bytes, length < room ? length : room);
  }
  text->length += length;
}

static void put_string(struct text *text, const char *string) {
  if (string) put_bytes(text, string, strlen(string));
}

static void put_number(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_number(struct text *text, const char *format, ...) {
  char digits[64];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(digits, sizeof digits, format, arguments);
  va_end(arguments);
  put_string(text, digits);
}

static void put_hexadecimal(struct text *text, const ProtobufCBinaryData *data) {
  for (size_t i = 0; i < data->len; i++) put_number(text, "%02x", data->data[i]);
}

static void put_timestamp(struct text *text, int64_t micros) {
  int64_t fraction = micros % 1000000, seconds = micros / 1000000;
  if (fraction < 0) {
    fraction += 1000000;
    seconds--;
  }
  struct tm parts;
  char date[40];
  time_t time = (time_t)seconds;
  if (!gmtime_r(&time, &parts) || !strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts))
    put_number(text, "%" PRId64, micros);
  else if (fraction)
    put_number(text, "%s.%06" PRId64 "Z", date, fraction);
  else
    put_number(text, "%sZ", date);
}

/* A value whose kind is newer than this library, or that has none. */
static void put_unknown(struct text *text, const ProtobufCMessage *message) {
  if (message->n_unknown_fields > 0) put_string(text, "(unknown kind)");
}

static void put_scalar(struct text *text, const Twind__V1__Scalar *scalar) {
  switch (scalar->kind_case) {
    case TWIND__V1__SCALAR__KIND_STRING_VALUE:
      return put_string(text, scalar->string_value);
    case TWIND__V1__SCALAR__KIND_INT_VALUE:
      return put_number(text, "%" PRId64, scalar->int_value);
    case TWIND__V1__SCALAR__KIND_DOUBLE_VALUE:
      return put_number(text, "%.17g", scalar->double_value);
    case TWIND__V1__SCALAR__KIND_BOOL_VALUE:
      return put_string(text, scalar->bool_value ? "true" : "false");
    case TWIND__V1__SCALAR__KIND_BYTES_VALUE:
      return put_hexadecimal(text, &scalar->bytes_value);
    case TWIND__V1__SCALAR__KIND_TIMESTAMP_VALUE:
      return put_timestamp(text, scalar->timestamp_value);
    default:
      return put_unknown(text, &scalar->base);
  }
}

static void put_list(struct text *text, const Twind__V1__ScalarList *list) {
  put_string(text, "[");
  for (size_t i = 0; list && i < list->n_values; i++) {
    if (i > 0) put_string(text, ", ");
    put_scalar(text, list->values[i]);
  }
  put_string(text, "]");
}

static void put_value(struct text *text, const Twind__V1__Value *value) {
  switch (value->kind_case) {
    case TWIND__V1__VALUE__KIND_STRING_VALUE:
      return put_string(text, value->string_value);
    case TWIND__V1__VALUE__KIND_INT_VALUE:
      return put_number(text, "%" PRId64, value->int_value);
    case TWIND__V1__VALUE__KIND_DOUBLE_VALUE:
      return put_number(text, "%.17g", value->double_value);
    case TWIND__V1__VALUE__KIND_BOOL_VALUE:
      return put_string(text, value->bool_value ? "true" : "false");
    case TWIND__V1__VALUE__KIND_BYTES_VALUE:
      return put_hexadecimal(text, &value->bytes_value);
    case TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE:
      return put_timestamp(text, value->timestamp_value);
    case TWIND__V1__VALUE__KIND_LIST_VALUE:
      return put_list(text, value->list_value);
    case TWIND__V1__VALUE__KIND_JSON_VALUE:
      return put_string(text, value->json_value);
    default:
      return put_unknown(text, &value->base);
  }
}

size_t twind_format(const Twind__V1__Value *value, char *text, size_t size) {
  struct text out = {.start = text, .size = size};
  if (value) put_value(&out, value);
  if (size > 0) text[out.length < size ? out.length : size - 1] = 0;
  return out.length;
}
