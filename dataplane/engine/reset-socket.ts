import type { Socket } from "node:net";

/**
 * Ends a socket abortively: the peer sees a RST. Harmless on one that is destroyed, or not connected yet.
 *
 * While libuv carries out a shutdown it refuses to reset, and Node then loses the handle; so a FIN that is being sent
 * (it takes one turn of the loop) goes first.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting) {
    socket.destroy();
  } else if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) {
    socket.once("finish", () => resetSocket(socket));
  } else {
    socket.resetAndDestroy();
  }
}

/** Closes a socket in order, as far as its unread input lets the kernel send a FIN. */
export function closeSocket(socket: Socket): void {
  socket.destroy();
}
