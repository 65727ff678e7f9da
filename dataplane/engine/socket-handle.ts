import type { Socket } from "node:net";

/** What node:net keeps to itself, and has had under these names on every Unix for ten years. */
interface SocketHandle {
  readonly fd?: number;
  /** 0, or a negative error number. */
  getpeername?(into: object): number;
}

/** The socket's descriptor; -1 where it has none, or does not say. */
export function descriptorOf(socket: Socket): number {
  return handleOf(socket)?.fd ?? -1;
}

/**
 * Whether a stream that has ended did so by a RST. Where a RST comes right behind bytes, libuv reports them and then
 * an orderly end (`uv__stream_io` takes POLLHUP for one); but the kernel no longer knows such a socket's peer. It forgets
 * the peer too when both have sent their FIN, so this is only to be asked of a socket that has not sent one.
 */
export function endedByReset(socket: Socket): boolean {
  const handle = handleOf(socket);
  return !socket.writableEnded && handle?.getpeername !== undefined && handle.getpeername({}) !== 0;
}

function handleOf(socket: Socket): SocketHandle | null {
  return (socket as unknown as { readonly _handle: SocketHandle | null })._handle;
}
