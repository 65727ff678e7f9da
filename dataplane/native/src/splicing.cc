#include <errno.h>

#include "check.h"
#include "engine_thread.h"

// Moving large streams without copying them: socket to pipe, pipe to socket. The pages go over; only what the target
// does not take is copied, into its Block, since the pipe is the whole thread's.

namespace switchyard {

// Bytes that JavaScript is to see, or that nobody takes, are read; and so is a stream with an urgent mark, where splice
// would not say why it stops.
bool EngineThread::may_splice(Connection& connection, End from) {
  const Side& source = connection.side(from);
  const Side& target = connection.side(other(from));
  return !target.finished && !source.urgent_seen && !source.reset_seen &&
         (from == End::kClient || connection.tap_left == 0);
}

bool EngineThread::splice_chunk(Connection& connection, End from, bool* go_on) {
  Side& source = connection.side(from);
  Side& target = connection.side(other(from));
  // No more than the copy buffer holds, as all of it may come back.
  const sys::IoResult got = sys::splice_bytes(source.socket.get(), pipe_write_.get(), limits::kCopyBufferBytes);
  if (got.error == EAGAIN) {
    source.readable = false;
    return true;
  }
  if (got.error != 0) {
    end_reset_by(connection, from);
    return false;
  }
  if (got.count == 0) {
    *go_on = false;
    return stream_ended(connection, from);
  }
  source.active_ms = now32();
  source.splicing = got.count >= limits::kSpliceUntilBytes;
  connection.bytes_read[static_cast<int>(from)] += got.count;
  // A short splice may be one that filled the pipe's slots, so only EAGAIN says that the socket is empty.
  size_t left = got.count;
  int error = 0;
  while (left > 0 && error == 0) {
    const sys::IoResult sent = sys::splice_bytes(pipe_read_.get(), target.socket.get(), left);
    error = sent.error == 0 && sent.count == 0 ? EAGAIN : sent.error;
    left -= sent.count;
  }
  if (left < got.count) target.active_ms = now32();
  if (left == 0) return true;
  // Whatever becomes of them, the bytes must leave the pipe.
  const sys::IoResult rest = sys::read_pipe(pipe_read_.get(), copy_.get(), left);
  SWITCHYARD_CHECK(rest.error == 0 && rest.count == left);
  if (error != EAGAIN) return write_failed(connection, other(from));
  return keep_for_later(connection, from, copy_.get(), left);
}

}  // namespace switchyard
