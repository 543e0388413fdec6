// Calls of twind that the checks make: a twin here has one attribute, `note`, a text.
#ifndef INTEROP_TWINS_H
#define INTEROP_TWINS_H

#include "go_client.h"
#include "twind/v1/twin_service.pb-c.h"

// What the checks say of an unexpected reply: its code and message.
#define REPLY_FORMAT "code %d \"%s\""
#define REPLY_ARGUMENTS(reply) (reply).code, (reply).message

// Sets `note` to a text of that many bytes, all of them `fill`. Waits for ever.
struct reply twin_write(struct client *client, const char *name, size_t count, char fill);

// The call that twin_read makes; `request` is its request from then on, and may be changed.
struct call twin_read_call(Twind__V1__GetTwinRequest *request, const char *name);
struct reply twin_read(struct client *client, const char *name, int timeout_millis);

// Waits for ever.
struct reply twins_read(struct client *client, char **names, size_t count);

// How many results of the reply hold a twin whose note has that many bytes.
size_t twins_of_size(const struct reply *reply, size_t count);

// A watch of one twin, and its history. NULL when the connection has ended.
struct stream *twin_watch(struct client *client, const char *name);
struct stream *twin_facts(struct client *client, const char *name);

#endif
