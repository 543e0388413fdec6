/* Making values, and reading the values of a twin.
 *
 *     int64_t orders = 0;
 *     const char *email = "unknown";
 *     twind_as_int(twind_find_value(twin, "orders"), &orders);
 *     twind_as_string(twind_find_value(twin, "email"), &email);
 *
 * A variable keeps its initial value if the twin has no such attribute, or if the value is of another kind. Every
 * pointer that is read points into the message and is valid until the message is released. Timestamps are microseconds
 * since the Unix epoch, UTC.
 */
#ifndef TWIND_VALUE_H
#define TWIND_VALUE_H

#include <stdbool.h>
#include <twind/error.h>
#include <twind/v1/twin.pb-c.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Strings and bytes are not copied: they must outlive the value. */
TWIND_API Twind__V1__Value twind_string_value(const char *text);
TWIND_API Twind__V1__Value twind_int_value(int64_t number);
TWIND_API Twind__V1__Value twind_double_value(double number);
TWIND_API Twind__V1__Value twind_bool_value(bool truth);
TWIND_API Twind__V1__Value twind_bytes_value(const void *data, size_t length);
TWIND_API Twind__V1__Value twind_timestamp_value(int64_t micros_since_epoch);
TWIND_API Twind__V1__Value twind_json_value(const char *json);

/* The attribute with this name, including its provenance; NULL if there is none. */
TWIND_API const Twind__V1__Attribute *twind_find(const Twind__V1__Twin *twin, const char *attribute);

/* The value of the attribute with this name; NULL if there is none. */
TWIND_API const Twind__V1__Value *twind_find_value(const Twind__V1__Twin *twin, const char *attribute);

/* Each function reads a value of one kind. If the value is NULL or of another kind, it returns false and writes
 * nothing. */
TWIND_API bool twind_as_string(const Twind__V1__Value *value, const char **text);
TWIND_API bool twind_as_int(const Twind__V1__Value *value, int64_t *number);
TWIND_API bool twind_as_double(const Twind__V1__Value *value, double *number); /* also reads an int */
TWIND_API bool twind_as_bool(const Twind__V1__Value *value, bool *truth);
TWIND_API bool twind_as_bytes(const Twind__V1__Value *value, const uint8_t **data, size_t *length);
TWIND_API bool twind_as_timestamp(const Twind__V1__Value *value, int64_t *micros_since_epoch);
TWIND_API bool twind_as_list(const Twind__V1__Value *value, const Twind__V1__ScalarList **list);
TWIND_API bool twind_as_json(const Twind__V1__Value *value, const char **json);

/* "string", "int", "double", "bool", "bytes", "timestamp", "list" or "json". "none" if there is no value. "unknown" if
 * this version of the library does not know the kind; such a value can be written back unchanged. */
TWIND_API const char *twind_kind(const Twind__V1__Value *value);

/* Formats a value as text: strings and JSON as they are, numbers in full precision, timestamps in RFC 3339 (UTC), bytes
 * in hexadecimal, lists as [a, b], a value of an unknown kind as "(unknown kind)", and no value as "". Like snprintf,
 * it writes at most `size` bytes including the NUL, and returns the length of the whole text. */
TWIND_API size_t twind_format(const Twind__V1__Value *value, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
