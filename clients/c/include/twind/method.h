/* Descriptions of the daemon's methods. twin_service.h, admin_service.h and health.h declare one for each method. */
#ifndef TWIND_METHOD_H
#define TWIND_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

typedef enum twind_shape {
  TWIND_UNARY,         /* one request, one reply: twind_invoke, twind_start */
  TWIND_SERVER_STREAM, /* one request, a stream of messages: twind_watch_start */
  TWIND_CLIENT_STREAM, /* many requests, one reply: this library has no call for it */
  TWIND_BIDI_STREAM    /* many each way: this library has no call for it */
} twind_shape;

typedef struct twind_method {
  const char *service; /* "twind.v1.TwinService" */
  const char *name;    /* "GetTwin" */
  twind_shape shape;
  size_t request_bytes_max; /* the largest encoded request that is accepted */
  const ProtobufCMessageDescriptor *request;
  const ProtobufCMessageDescriptor *response;
} twind_method;

#endif
