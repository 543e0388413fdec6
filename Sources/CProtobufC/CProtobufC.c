// SwiftPM wants one source in a C target.
#include <protobuf-c/protobuf-c.h>
