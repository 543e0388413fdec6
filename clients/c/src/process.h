/* Handlers that run in the child of a fork().
 *
 * A child inherits every socket. If it used one, parent and child would read each other's replies. So each object that
 * owns a descriptor registers a handler here, `enter_child`, which fork() runs in the child before anything else. The
 * parent's threads may have been anywhere in this library at that moment: the handler must initialise all locks again,
 * and must not rely on any state that takes more than one store to change.
 *
 * Used by client.c, channel.c and watch.c.
 */
#ifndef TWIND_PROCESS_H
#define TWIND_PROCESS_H

#include <stddef.h>

struct belonging {
  void (*enter_child)(struct belonging *self);
  struct belonging *previous, *next;
};

/* The structure of type `type` whose member `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

void belonging_add(struct belonging *belonging, void (*enter_child)(struct belonging *self));
/* Call it before closing the object's descriptors. */
void belonging_remove(struct belonging *belonging);

#endif
