// Debian's libprotobuf-c-dev as a Swift module.
#include <protobuf-c/protobuf-c.h>
