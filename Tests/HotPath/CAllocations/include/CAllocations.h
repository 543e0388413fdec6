// Counts what the whole process allocates.
#ifndef TWIND_CALLOCATIONS_H
#define TWIND_CALLOCATIONS_H

#include <stdint.h>

// Blocks taken from the allocator so far, by all threads.
uint64_t allocation_count(void);

#endif
