/* Values and changes: made, sent through protobuf-c and back, found, and shown. */
#include <stdint.h>
#include <twind/twind.h>

#include "arena.h"
#include "check.h"

static void expect_text(Twind__V1__Value value, const char *wanted) {
  uint8_t bytes[256];
  size_t length = twind__v1__value__pack(&value, bytes);
  Twind__V1__Value *back = arena_unpack(&twind__v1__value__descriptor, bytes, length, UNPACK_FACTOR_DEFAULT);
  CHECK(back);
  char text[128];
  CHECK_EQUAL(twind_format(back, text, sizeof text), strlen(wanted));
  CHECK_TEXT(text, wanted);
  twind_free(back);
}

static void every_kind_survives_the_wire(void) {
  expect_text(twind_string_value("zoë"), "zoë");
  expect_text(twind_string_value(""), "");
  expect_text(twind_int_value(INT64_MIN), "-9223372036854775808");
  expect_text(twind_double_value(0.1), "0.10000000000000001");
  expect_text(twind_bool_value(true), "true");
  expect_text(twind_bool_value(false), "false");
  expect_text(twind_bytes_value("\x00\xff\x10", 3), "00ff10");
  expect_text(twind_json_value("{\"a\": 1}"), "{\"a\": 1}");
  expect_text(twind_timestamp_value(0), "1970-01-01T00:00:00Z");
  expect_text(twind_timestamp_value(852076800123456), "1997-01-01T00:00:00.123456Z");
  expect_text(twind_timestamp_value(-1), "1969-12-31T23:59:59.999999Z");
  expect_text(twind_timestamp_value(INT64_MAX), "294247-01-10T04:00:54.775807Z");
}

static void lists_are_shown_in_brackets(void) {
  Twind__V1__Scalar one = TWIND__V1__SCALAR__INIT, text = TWIND__V1__SCALAR__INIT, *items[] = {&one, &text};
  one.kind_case = TWIND__V1__SCALAR__KIND_INT_VALUE;
  one.int_value = 1;
  text.kind_case = TWIND__V1__SCALAR__KIND_STRING_VALUE;
  text.string_value = "two";
  Twind__V1__ScalarList list = TWIND__V1__SCALAR_LIST__INIT;
  list.values = items;
  list.n_values = 2;
  Twind__V1__Value value = TWIND__V1__VALUE__INIT;
  value.kind_case = TWIND__V1__VALUE__KIND_LIST_VALUE;
  value.list_value = &list;
  expect_text(value, "[1, two]");
  list.n_values = 0;
  expect_text(value, "[]");
}

static void text_is_cut_as_snprintf_cuts(void) {
  Twind__V1__Value value = twind_string_value("abcdef"), none = TWIND__V1__VALUE__INIT;
  char text[8] = "xxxxxxx";
  CHECK_EQUAL(twind_format(&value, text, 4), 6);
  CHECK_TEXT(text, "abc");
  CHECK(text[4] == 'x');
  CHECK_EQUAL(twind_format(&value, NULL, 0), 6);
  CHECK_EQUAL(twind_format(&value, text, 7), 6);
  CHECK_TEXT(text, "abcdef");
  CHECK_EQUAL(twind_format(&none, text, sizeof text), 0);
  CHECK_TEXT(text, "");
  CHECK_EQUAL(twind_format(NULL, text, sizeof text), 0);
}

static void attributes_are_found_by_name(void) {
  Twind__V1__Attribute first = TWIND__V1__ATTRIBUTE__INIT, second = TWIND__V1__ATTRIBUTE__INIT;
  Twind__V1__Attribute *attributes[] = {&first, &second};
  first.name = "address";
  second.name = "address.city";
  Twind__V1__Twin twin = TWIND__V1__TWIN__INIT;
  twin.attributes = attributes;
  twin.n_attributes = 2;
  CHECK(twind_find(&twin, "address.city") == &second);
  CHECK(twind_find(&twin, "address") == &first);
  CHECK(!twind_find(&twin, "addres"));
  CHECK(!twind_find(NULL, "address"));
  Twind__V1__Value city = twind_string_value("Ulm");
  second.value = &city;
  CHECK(twind_find_value(&twin, "address.city") == &city);
  CHECK(!twind_find_value(&twin, "address") && !twind_find_value(&twin, "addres"));
}

/* Each getter reads its own kind, and of any other leaves what was there. */
static void values_are_read_by_their_kind(void) {
  Twind__V1__ScalarList empty = TWIND__V1__SCALAR_LIST__INIT;
  Twind__V1__Value list = TWIND__V1__VALUE__INIT;
  list.kind_case = TWIND__V1__VALUE__KIND_LIST_VALUE;
  list.list_value = &empty;
  const Twind__V1__Value values[] = {
      twind_string_value("zoë"),     twind_int_value(-7),          twind_double_value(0.5), twind_bool_value(true),
      twind_bytes_value("\0\1", 2), twind_timestamp_value(12345), list,                    twind_json_value("[1]"),
  };
  static const char *const kinds[] = {"string", "int", "double", "bool", "bytes", "timestamp", "list", "json"};
  for (size_t i = 0; i < 9; i++) {
    const Twind__V1__Value *value = i < 8 ? &values[i] : NULL;
    CHECK_TEXT(twind_kind(value), i < 8 ? kinds[i] : "none");
    const char *text = "-", *json = "-";
    int64_t number = -1, micros = -1;
    double real = -1;
    bool truth = false;
    const uint8_t *data = NULL;
    size_t length = 77;
    const Twind__V1__ScalarList *items = NULL;
    CHECK_EQUAL(twind_as_string(value, &text), i == 0);
    CHECK_TEXT(text, i == 0 ? "zoë" : "-");
    CHECK_EQUAL(twind_as_int(value, &number), i == 1);
    CHECK_EQUAL(number, i == 1 ? -7 : -1);
    CHECK_EQUAL(twind_as_double(value, &real), i == 1 || i == 2);
    CHECK(real == (i == 1 ? -7 : i == 2 ? 0.5 : -1));
    CHECK_EQUAL(twind_as_bool(value, &truth), i == 3);
    CHECK_EQUAL(truth, i == 3);
    CHECK_EQUAL(twind_as_bytes(value, &data, &length), i == 4);
    CHECK(i == 4 ? length == 2 && data[1] == 1 : length == 77 && !data);
    CHECK_EQUAL(twind_as_timestamp(value, &micros), i == 5);
    CHECK_EQUAL(micros, i == 5 ? 12345 : -1);
    CHECK_EQUAL(twind_as_list(value, &items), i == 6);
    CHECK(items == (i == 6 ? &empty : NULL));
    CHECK_EQUAL(twind_as_json(value, &json), i == 7);
    CHECK_TEXT(json, i == 7 ? "[1]" : "-");
  }
}

/* Field 9 of a value, and field 7 of a list's item, as a newer daemon may send them. */
static void an_unknown_kind_is_shown_and_kept(void) {
  static const uint8_t plain[] = {0x4a, 3, 'n', 'e', 'w'}, listed[] = {0x3a, 8, 0x0a, 2, 0x10, 1, 0x0a, 2, 0x38, 5};
  Twind__V1__Value *value =
      arena_unpack(&twind__v1__value__descriptor, plain, sizeof plain, UNPACK_FACTOR_DEFAULT);
  CHECK(value);
  char text[40];
  CHECK_TEXT(twind_kind(value), "unknown");
  CHECK_EQUAL(twind_format(value, text, sizeof text), strlen("(unknown kind)"));
  CHECK_TEXT(text, "(unknown kind)");
  int64_t number = 5;
  CHECK(!twind_as_int(value, &number) && number == 5);
  uint8_t packed[16];
  CHECK_EQUAL(twind__v1__value__pack(value, packed), sizeof plain);
  CHECK(memcmp(packed, plain, sizeof plain) == 0);
  twind_free(value);

  value = arena_unpack(&twind__v1__value__descriptor, listed, sizeof listed, UNPACK_FACTOR_DEFAULT);
  CHECK(value);
  CHECK_TEXT(twind_kind(value), "list");
  twind_format(value, text, sizeof text);
  CHECK_TEXT(text, "[1, (unknown kind)]");
  CHECK_EQUAL(twind__v1__value__pack(value, packed), sizeof listed);
  CHECK(memcmp(packed, listed, sizeof listed) == 0);
  twind_free(value);
}

int main(void) {
  RUN(every_kind_survives_the_wire);
  RUN(lists_are_shown_in_brackets);
  RUN(text_is_cut_as_snprintf_cuts);
  RUN(attributes_are_found_by_name);
  RUN(values_are_read_by_their_kind);
  RUN(an_unknown_kind_is_shown_and_kept);
}
