/* Frames and the buffer they are read from, at every split. */
#include "check.h"
#include "frame.h"

static void header_has_the_wire_order(void) {
  uint8_t header[FRAME_HEADER_BYTES];
  frame_write_header(header, &(struct frame){.length = 0x010203, .stream = 0xA1B2C3D5, .type = 0x10, .flags = 4});
  const uint8_t wanted[] = {0, 1, 2, 3, 0xA1, 0xB2, 0xC3, 0xD5, 0x10, 4};
  CHECK(memcmp(header, wanted, sizeof wanted) == 0);
  frame_set_stream(header, 9);
  CHECK(memcmp(header + 4, "\0\0\0\x09\x10\x04", 6) == 0);
}

static void a_frame_is_whole_only_with_its_last_byte(void) {
  uint8_t bytes[FRAME_HEADER_BYTES + 5] = {0, 0, 0, 5, 0, 0, 0, 3, 2, 0, 'h', 'e', 'l', 'l', 'o'};
  for (size_t split = 0; split <= sizeof bytes; split++) {
    struct buffer buffer = {0};
    struct frame frame;
    CHECK(buffer_append(&buffer, bytes, split));
    CHECK(frame_peek(&buffer, &frame) == (split < sizeof bytes ? FRAME_PARTIAL : FRAME_WHOLE));
    CHECK(buffer_append(&buffer, bytes + split, sizeof bytes - split));
    CHECK(frame_peek(&buffer, &frame) == FRAME_WHOLE);
    CHECK_EQUAL(frame.stream, 3);
    CHECK_EQUAL(frame.type, FRAME_RESPONSE);
    CHECK(frame.length == 5 && memcmp(frame.payload, "hello", 5) == 0);
    frame_consume(&buffer, &frame);
    CHECK_EQUAL(buffer_size(&buffer), 0);
    buffer_free(&buffer);
  }
}

static void four_mebibytes_are_the_most(void) {
  for (int over = 0; over <= 1; over++) {
    uint8_t header[FRAME_HEADER_BYTES];
    frame_write_header(header, &(struct frame){.length = FRAME_PAYLOAD_BYTES_MAX + (uint32_t)over, .stream = 1});
    struct buffer buffer = {0};
    struct frame frame;
    CHECK(buffer_append(&buffer, header, sizeof header));
    CHECK_EQUAL(frame_peek(&buffer, &frame), over ? FRAME_TOO_LARGE : FRAME_PARTIAL);
    buffer_free(&buffer);
  }
}

static void a_buffer_keeps_what_was_not_consumed(void) {
  struct buffer buffer = {0};
  uint8_t next = 0, wanted = 0;
  for (int round = 0; round < 5000; round++) {
    uint8_t bytes[97];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = next++;
    CHECK(buffer_append(&buffer, bytes, sizeof bytes));
    size_t taken = (size_t)(round * 31 % 160);
    if (taken > buffer_size(&buffer)) taken = buffer_size(&buffer);
    for (size_t i = 0; i < taken; i++) CHECK_EQUAL(buffer_data(&buffer)[i], wanted++);
    buffer_consume(&buffer, taken);
  }
  buffer_free(&buffer);
}

int main(void) {
  RUN(header_has_the_wire_order);
  RUN(a_frame_is_whole_only_with_its_last_byte);
  RUN(four_mebibytes_are_the_most);
  RUN(a_buffer_keeps_what_was_not_consumed);
}
