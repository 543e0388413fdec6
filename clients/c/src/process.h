/* What belongs to the process that made it.
 *
 * A forked child inherits every socket. If it used one, parent and child would read each other's replies. So whatever
 * holds a descriptor says here what becomes of it in a child, which happens inside fork(), before the child runs
 * anything else. Threads of the parent may have been anywhere in this library at that moment: `enter_child` must not
 * trust anything that takes more than one store to change, and it makes every lock anew.
 *
 * Used by client.c, channel.c and watch.c. Costs a call nothing.
 */
#ifndef TWIND_PROCESS_H
#define TWIND_PROCESS_H

#include <stddef.h>

struct belonging {
  void (*enter_child)(struct belonging *self);
  struct belonging *previous, *next;
};

/* The structure of this type of which `pointer` is that member. */
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

void belonging_add(struct belonging *belonging, void (*enter_child)(struct belonging *self));
/* Before its descriptors are closed. */
void belonging_remove(struct belonging *belonging);

#endif
