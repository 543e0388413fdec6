/* Values: making them, and reading those of a twin.
 *
 *     int64_t orders = 0;
 *     const char *email = "unknown";
 *     twind_as_int(twind_find_value(twin, "orders"), &orders);
 *     twind_as_string(twind_find_value(twin, "email"), &email);
 */
#ifndef TWIND_VALUE_H
#define TWIND_VALUE_H

#include <stdbool.h>
#include <twind/error.h>
#include <twind/v1/twin.pb-c.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nothing is copied: texts and bytes must live as long as the value. */
TWIND_API Twind__V1__Value twind_string_value(const char *text);
TWIND_API Twind__V1__Value twind_int_value(int64_t number);
TWIND_API Twind__V1__Value twind_double_value(double number);
TWIND_API Twind__V1__Value twind_bool_value(bool truth);
TWIND_API Twind__V1__Value twind_bytes_value(const void *data, size_t length);
TWIND_API Twind__V1__Value twind_timestamp_value(int64_t micros_since_epoch);
TWIND_API Twind__V1__Value twind_json_value(const char *json);

/* The attribute of that name with its provenance, or NULL. */
TWIND_API const Twind__V1__Attribute *twind_find(const Twind__V1__Twin *twin, const char *attribute);

/* The value of that attribute, or NULL. */
TWIND_API const Twind__V1__Value *twind_find_value(const Twind__V1__Twin *twin, const char *attribute);

/* Each reads a value of one kind. False, and nothing is written: the value is of another kind, or NULL. So whatever the
 * variable held before is the default. What is read lives as long as the message that holds the value. */
TWIND_API bool twind_as_string(const Twind__V1__Value *value, const char **text);
TWIND_API bool twind_as_int(const Twind__V1__Value *value, int64_t *number);
TWIND_API bool twind_as_double(const Twind__V1__Value *value, double *number); /* of an int too */
TWIND_API bool twind_as_bool(const Twind__V1__Value *value, bool *truth);
TWIND_API bool twind_as_bytes(const Twind__V1__Value *value, const uint8_t **data, size_t *length);
TWIND_API bool twind_as_timestamp(const Twind__V1__Value *value, int64_t *micros_since_epoch);
TWIND_API bool twind_as_list(const Twind__V1__Value *value, const Twind__V1__ScalarList **list);
TWIND_API bool twind_as_json(const Twind__V1__Value *value, const char **json);

/* "string", "int", "double", "bool", "bytes", "timestamp", "list" or "json". "unknown": a kind that this version of
 * the library does not know; written again, it is the same value. "none": there is no value. */
TWIND_API const char *twind_kind(const Twind__V1__Value *value);

/* Writes the value as text: strings and JSON as they are, numbers in full precision, timestamps as RFC 3339 in
 * UTC, bytes as hexadecimal, lists as [a, b], and "(unknown kind)". As snprintf: at most `size` bytes with the
 * terminator, and returns the length that all of it needs. NULL and a value without a kind are empty. */
TWIND_API size_t twind_format(const Twind__V1__Value *value, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
