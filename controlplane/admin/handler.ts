import type { handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import { serviceError } from "./refused.ts";

/** Hears of errors that are ours. */
export type InternalFault = (error: unknown) => void;

/** A unary method from a promise; what it throws becomes a gRPC status. */
export function unary<Request, Response>(
  fault: InternalFault,
  method: (request: Request) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    method(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(error, fault)),
    );
  };
}

/** Sends one message, and resolves when there is room for the next. Rejects once the signal aborts. */
export type Send<Response> = (message: Response) => Promise<void>;

/** A server-streaming method; the signal aborts when the client goes away, or the server stops. */
export function streaming<Request, Response>(
  fault: InternalFault,
  stopping: AbortSignal,
  method: (request: Request, send: Send<Response>, signal: AbortSignal) => Promise<void>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    call.once("cancelled", end);
    call.once("error", end);
    stopping.addEventListener("abort", end);
    if (stopping.aborted) end();
    method(call.request, (message) => send(call, message, ended.signal), ended.signal)
      .then(
        () => call.end(),
        (error: unknown) => {
          if (ended.signal.aborted) call.end();
          else call.emit("error", serviceError(error, fault));
        },
      )
      .finally(() => stopping.removeEventListener("abort", end));
  };
}

async function send<Request, Response>(
  call: ServerWritableStream<Request, Response>,
  message: Response,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw new Error("the client is gone");
  if (call.write(message)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      call.off("drain", settle);
      signal.removeEventListener("abort", settle);
      if (signal.aborted) reject(new Error("the client is gone"));
      else resolve();
    };
    call.once("drain", settle);
    signal.addEventListener("abort", settle);
  });
}
