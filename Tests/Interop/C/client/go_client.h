// A ttrpc client that behaves like containerd's Go library 1.2.3, for tests of a server. Debian's Go and Rust libraries
// have no streams; and a server may serve careful clients well, and still wait for ever for one with such locks.
//
// What it has in common with ttrpc-go 1.2.0 to 1.2.3, and what a server must live with:
//
// - Locks. A new stream is entered into the stream table under the table's lock, which is kept until the lock for
//   writing is had. The thread that receives needs the table's lock for each frame that arrives. So as soon as two
//   threads call, nothing is received while one of them waits for the socket to take its frame; a server that reads
//   on only when its replies have been read then waits for ever. (Described and repaired in
//   https://github.com/containerd/ttrpc/pull/168.)
// - Ids are odd and increase by 2. Past 4,294,967,295 they begin at 1 again.
// - Flags. A unary request has none. The request of a server stream has remote closed. That of a client or
//   bidirectional stream has remote open and no payload, and no flag that says so. Messages are data frames without
//   flags; an empty one has no bytes. The end of sending is a frame of its own: remote closed | no data.
// - A stream's request says neither metadata nor a timeout; a unary one says both.
// - There is no cancel. A unary call that is given up leaves the stream table, and a late reply to it is thrown away. A
//   stream that is given up stays in the table.
// - Each stream has room for one message. When a second arrives before the first is taken, nothing more is received on
//   the connection until somebody takes it.
// - A frame of any size is sent.
// - When the server closes its side, the client ends the connection, also in the middle of a frame that it writes.
#ifndef INTEROP_GO_CLIENT_H
#define INTEROP_GO_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How a call, or one message of a stream, came out: 0 or a status code of gRPC from the server, or what happened here.
enum {
  CALL_OK = 0,
  CALL_INVALID_ARGUMENT = 3,
  CALL_DEADLINE_EXCEEDED = 4,
  CALL_NOT_FOUND = 5,
  CALL_FAILED_PRECONDITION = 9,
  CALL_RESOURCE_EXHAUSTED = 8,
  CALL_OUT_OF_RANGE = 11,
  CALL_UNIMPLEMENTED = 12,
  CALL_UNAVAILABLE = 14,
  CALL_END = -1,        // The stream has ended well. Go: io.EOF.
  CALL_CLOSED = -2,     // The connection has ended. Go: ttrpc.ErrClosed.
  CALL_TIMED_OUT = -3,  // Nothing came in time. Go: context.DeadlineExceeded.
  CALL_PROTOCOL = -4,   // The server sent what it must not. Go: ttrpc.ErrProtocol.
};

struct reply {
  int code;
  char message[512];      // Of a status.
  uint8_t type, flags;    // Of the frame that it came in; 0 when there was none.
  uint8_t *payload;       // The message, `length` bytes. Free it with reply_clear.
  size_t length;
};

void reply_clear(struct reply *reply);

struct client_options {
  uint32_t first_stream;  // 0 = 1.
  bool one_lock;          // One lock for the table and all writes: stricter still than 1.2.3, with a single caller too.
};

struct client;
struct stream;

// NULL when nobody listens; `options` may be NULL.
struct client *client_connect(const char *socket_path, const struct client_options *options);

// Ends the connection, waits for the thread that receives, and frees the streams too. No call may be under way.
void client_close(struct client *client);

// Ends the connection, whatever its threads wait for. Calls end with CALL_CLOSED.
void client_abort(struct client *client);

// Whether the connection has ended.
bool client_has_ended(struct client *client);

// Whether nothing is received because a stream has no room for its next message.
bool client_is_stuck(struct client *client);

// Frames received for no stream in the table.
unsigned client_strays(struct client *client);

// What the client's threads are doing, for a report about a connection that hangs.
void client_describe(struct client *client, char *text, size_t room);

struct call {
  const char *service, *method;
  const ProtobufCMessage *request;
  const char *metadata_key, *metadata_value;  // At most one pair. NULL = none. Unary only.
  int timeout_millis;                         // Of the caller, and sent along. 0 = none. Unary only.
};

// A unary call.
struct reply client_call(struct client *client, const struct call *call);

enum shape { SERVER_STREAM, CLIENT_STREAM, BIDIRECTIONAL };

// Begins a stream. The request is NULL except for server streams, as in the code that ttrpc-go's generator makes.
// NULL when the connection has ended. Streams live until client_close.
struct stream *client_stream(struct client *client, enum shape shape, const struct call *call);

// False when the connection has ended.
bool stream_send(struct stream *stream, const ProtobufCMessage *message);
bool stream_close_send(struct stream *stream);

// The next message, or how the stream ended. CALL_TIMED_OUT leaves it as it is.
struct reply stream_receive(struct stream *stream, int timeout_millis);

#endif
