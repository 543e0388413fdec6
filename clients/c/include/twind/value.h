/* Values and changes without ceremony.
 *
 *     Twind__V1__Change *changes[] = {
 *         TWIND_SET("email", twind_string_value("ada@example.com")),
 *         TWIND_INCREMENT("orders", twind_int_value(1)),
 *         TWIND_REMOVE("nickname"),
 *     };
 *
 * Nothing is copied: strings must live as long as the message. What the macros make lives until the end of the
 * enclosing block.
 */
#ifndef TWIND_VALUE_H
#define TWIND_VALUE_H

#include <stdbool.h>
#include <twind/error.h>
#include <twind/v1/twin_service.pb-c.h>

#ifdef __cplusplus
extern "C" {
#endif

TWIND_API Twind__V1__Value twind_string_value(const char *text);
TWIND_API Twind__V1__Value twind_int_value(int64_t number);
TWIND_API Twind__V1__Value twind_double_value(double number);
TWIND_API Twind__V1__Value twind_bool_value(bool truth);
TWIND_API Twind__V1__Value twind_bytes_value(const void *data, size_t length);
TWIND_API Twind__V1__Value twind_timestamp_value(int64_t micros_since_epoch);
TWIND_API Twind__V1__Value twind_json_value(const char *json);

TWIND_API Twind__V1__Change twind_set_change(const char *attribute, Twind__V1__Value *value);
TWIND_API Twind__V1__Change twind_increment_change(const char *attribute, Twind__V1__Value *amount);
TWIND_API Twind__V1__Change twind_remove_change(const char *attribute);

#define TWIND_SET(attribute, value) \
  ((Twind__V1__Change[]){twind_set_change((attribute), (Twind__V1__Value[]){(value)})})
#define TWIND_INCREMENT(attribute, amount) \
  ((Twind__V1__Change[]){twind_increment_change((attribute), (Twind__V1__Value[]){(amount)})})
#define TWIND_REMOVE(attribute) ((Twind__V1__Change[]){twind_remove_change((attribute))})

/* The attribute of that name, or NULL. */
TWIND_API const Twind__V1__Attribute *twind_find(const Twind__V1__Twin *twin, const char *attribute);

/* Writes the value as text: strings and JSON as they are, numbers in full precision, timestamps as RFC 3339 in
 * UTC, bytes as hexadecimal, lists as [a, b]. As snprintf: at most `size` bytes with the terminator, and returns
 * the length that all of it needs. NULL and a value without a kind are empty. */
TWIND_API size_t twind_format(const Twind__V1__Value *value, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
