import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { type SocketAddress, splitSocketAddress } from "../../model/address.ts";

export interface Request {
  /** Where the client connects from; 127.0.0.1 where nothing is said. */
  readonly from?: string;
  /** Sent before the ClientHello. */
  readonly header?: Uint8Array;
  readonly serverName?: string;
}

/** One request over TLS, in HTTP/1.0: the body of the answer, or the code of the error that it ended with. */
export async function requestOver(address: SocketAddress, request: Request = {}): Promise<string> {
  const localAddress = request.from ?? "127.0.0.1";
  const socket = connect({ ...splitSocketAddress(address), localAddress });
  socket.on("error", () => undefined);
  if (request.header !== undefined) socket.write(request.header);
  const tls = connectTls({ socket, servername: request.serverName ?? "a.test", rejectUnauthorized: false });
  let received = "";
  let failure: NodeJS.ErrnoException | undefined;
  tls.on("data", (chunk: Buffer) => (received += chunk.toString()));
  tls.on("error", (error) => (failure ??= error));
  // Its end is the server's to make: nginx as a balancer ends both sides with the client's.
  tls.write("GET / HTTP/1.0\r\n\r\n");
  // Not `once`, which an error would reject.
  await new Promise((resolve) => tls.once("close", resolve));
  socket.destroy();
  if (received === "") return failure?.code ?? "closed";
  return received.slice(received.indexOf("\r\n\r\n") + 4);
}
