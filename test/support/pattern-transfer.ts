import type { Socket } from "node:net";
import { once } from "node:events";
import type { BytePattern } from "./byte-pattern.ts";

/** Writes `length` bytes of the pattern in pieces of random size, as fast as the socket takes them, and ends the stream. */
export async function sendPattern(
  socket: Socket,
  pattern: BytePattern,
  length: number,
  random: () => number,
): Promise<void> {
  let sent = 0;
  while (sent < length) {
    // Mostly small, now and then large: sizes spread evenly over their logarithm, 1 byte to 256 KiB.
    const wanted = Math.min(Math.ceil(2 ** (random() * 18)), length - sent);
    const piece = pattern.at(sent, wanted);
    sent += piece.length;
    if (!socket.write(piece)) await once(socket, "drain");
  }
  socket.end();
}

/** Reads until the stream ends. Fails at the first byte that is wrong; answers how many came. */
export async function receivePattern(socket: Socket, pattern: BytePattern): Promise<number> {
  let received = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const wrong = pattern.firstDifference(received, chunk as Buffer);
    if (wrong >= 0) throw new Error(`byte ${wrong} of the stream is not the one that was sent`);
    received += (chunk as Buffer).length;
  }
  return received;
}
