// The system's protobuf-c, passed through, so that all modules share the one that owns its types. Without it each
// module with generated code would hold its own copy, and Swift would find their constants ambiguous.
#include_next <protobuf-c/protobuf-c.h>
