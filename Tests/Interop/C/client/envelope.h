// The envelopes of ttrpc, Request and Response, as bytes.
#ifndef INTEROP_ENVELOPE_H
#define INTEROP_ENVELOPE_H

#include "../frame.h"
#include "go_client.h"

// The bytes of a message, from malloc; NULL when there are none, or no message.
uint8_t *message_bytes(const ProtobufCMessage *message, size_t *count);

// The Request of a call, from malloc. Only that of a unary one says timeout and metadata.
uint8_t *envelope_of_call(const struct call *call, bool is_unary, size_t *count);

// What a frame of type 2 says. Takes its payload over.
struct reply reply_of_response(const struct frame *frame);

#endif
