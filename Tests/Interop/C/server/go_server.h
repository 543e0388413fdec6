// A ttrpc server that behaves like containerd's Go library 1.2.3, for tests of a client.
//
// What it has in common with ttrpc-go 1.2.3, and what a client must live with:
//
// - Each call runs in a thread of its own; replies come in any order.
// - A successful unary call or client stream ends with a response without a status. A stream from the server is data
//   frames without flags, and ends with one of remote closed | no data, or with a response that has a status.
// - The flags of a request are not looked at. A payload in the request of a client or bidirectional stream is its first
//   message.
// - Messages for a stream wait for its handler, five at most; then the connection is read no further.
// - The frame that ends the client's side may hold no bytes.
// - Frames of types that it does not know are ignored, our cancel among them.
// - Data for a stream that has ended makes it panic; this one stops with a message.
#ifndef INTEROP_GO_SERVER_H
#define INTEROP_GO_SERVER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ttrpc/ttrpc.pb-c.h"

struct call;

// How a call ends: with code 0, or with a status.
struct outcome {
  int code;
  const char *message;
};

struct method {
  const char *name;
  bool client_streams, server_streams;
  struct outcome (*run)(struct call *call);
};

// The envelope that began it.
const Ttrpc__Request *call_request(const struct call *call);

// The next message, which is freed with free; false when there are no more.
bool call_next(struct call *call, uint8_t **bytes, size_t *count);

// Sends a message of a stream from the server; the reply of another call is kept until its method has returned.
void call_send(struct call *call, const ProtobufCMessage *message);

// Accepts connections for ever. After the last method comes one without a name.
int server_run(const char *socket_path, const char *service, const struct method *methods);

#endif
