/* What the generated tables say of a method: twin_service.h, admin_service.h and health.h declare one each. */
#ifndef TWIND_METHOD_H
#define TWIND_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

typedef enum twind_shape {
  TWIND_UNARY,        /* one request, one reply: twind_invoke, twind_start */
  TWIND_SERVER_STREAM /* one request, many messages: twind_watch_start */
} twind_shape;

typedef struct twind_method {
  const char *service; /* "twind.v1.TwinService" */
  const char *name;    /* "GetTwin" */
  twind_shape shape;
  size_t request_bytes_max; /* encoded */
  const ProtobufCMessageDescriptor *request;
  const ProtobufCMessageDescriptor *response;
} twind_method;

#endif
