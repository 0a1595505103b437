// Connections: what is read, answered and written, and how they and the server end.
// contracts/kv_server.h is the specification; this file is steps 4 to 6 of this lab's README.
#include "contracts/kv_server.h"
#include "contracts/not_implemented.h"

namespace kv {

// Step 4: one connection, from its first byte to its end.
void talk(Server* /*server*/, const goro::TcpStream& /*stream*/) {
  GORO_NOT_IMPLEMENTED(15, 4);
}

// Step 5: accepts, and has a goroutine talk on each connection.
void serve(Server* /*server*/) {
  GORO_NOT_IMPLEMENTED(15, 5);
}

// Step 6: everybody gets an end, and nobody waits for ever.
void stop(Server* /*server*/, std::chrono::milliseconds /*grace*/) {
  GORO_NOT_IMPLEMENTED(15, 6);
}

}  // namespace kv
