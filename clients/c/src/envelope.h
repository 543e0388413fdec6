/* Encodes ttrpc requests and decodes ttrpc responses. */
#ifndef TWIND_ENVELOPE_H
#define TWIND_ENVELOPE_H

#include <stdbool.h>
#include <twind/call.h>

#include "buffer.h"

struct envelope {
  const twind_method *method;
  const ProtobufCMessage *message;
  const char *agent; /* may be NULL */
  const twind_metadata *metadata;
  size_t n_metadata;
  int64_t timeout_nanos; /* 0: none */
};

/* Appends a request frame with stream id 0 to `out`. Returns false with `error` set if the message has the wrong type
 * or exceeds the method's limit. */
bool envelope_write_request(const struct envelope *envelope, struct buffer *out, twind_error *error);

/* Returns the reply in a response frame's payload, to be released with twind_free. NULL with `error` set if it holds an
 * error status or is malformed. An empty payload is an empty reply. */
void *envelope_read_response(const twind_method *method, const uint8_t *bytes, size_t length, uint32_t factor,
                             twind_error *error);

/* The same for a stream's message, which has no envelope. */
void *envelope_read_message(const twind_method *method, const uint8_t *bytes, size_t length, uint32_t factor,
                            twind_error *error);

#endif
