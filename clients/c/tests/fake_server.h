/* A scripted ttrpc server for the tests: each connection is served by a function of the test in a thread of its
 * own, which reads frames and writes whatever it likes, right or wrong. */
#ifndef TWIND_FAKE_SERVER_H
#define TWIND_FAKE_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <twind/twind.h>

#include "frame.h"
#include "ttrpc/ttrpc.pb-c.h"

/* Serves one connection until it is done with it; the descriptor is closed afterwards. */
typedef void (*serve_function)(int fd, void *context);

struct fake_server;

/* Listens at a new path in a temporary folder. */
struct fake_server *fake_server_start(serve_function serve, void *context);
const char *fake_server_path(const struct fake_server *server);
/* A new client of it, which polls for $BUSY_POLL_MICROS. */
twind_client *fake_server_client(const struct fake_server *server);
/* How many connections were accepted so far. */
int fake_server_connections(const struct fake_server *server);
/* Closes the listener and every connection, as a daemon that dies; the path stays. */
void fake_server_kill(struct fake_server *server);
/* Listens at the same path again. */
void fake_server_revive(struct fake_server *server);
void fake_server_stop(struct fake_server *server);

/* One frame from the client; its payload is freed by received_free. */
struct received {
  uint32_t stream;
  uint8_t type, flags;
  size_t length;
  uint8_t *payload;
  Ttrpc__Request *request; /* of a request frame */
};

/* False at the end of the connection. A request that cannot be unpacked fails the test. */
bool receive(int fd, struct received *frame);
void received_free(struct received *frame);

void send_bytes(int fd, const void *bytes, size_t length);
void send_frame(int fd, uint32_t stream, uint8_t type, uint8_t flags, const void *payload, size_t length);
void send_data(int fd, uint32_t stream, uint8_t flags, const ProtobufCMessage *message);
void send_reply(int fd, uint32_t stream, const ProtobufCMessage *message);
void send_status(int fd, uint32_t stream, int code, const char *text);

/* Answers every GetTwin with a twin of the name asked for, until the connection ends. */
void serve_twins(int fd, void *context);
/* That answer: revision and sequence are 7. */
void send_twin(int fd, const struct received *frame);

/* A GetTwin on the client; the reply's twin must have that name. */
Twind__V1__GetTwinResponse *get_twin(twind_client *client, const char *name, twind_error *error);
Twind__V1__GetTwinRequest get_request(const char *name);

int64_t micros_now(void);

#endif
