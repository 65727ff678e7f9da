import {
  FleetServiceService,
  SessionRequest,
  SessionResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { sessionMessageBytesMax } from "./session-limits.ts";

/** A node's message with what its bytes say before they are looked into. */
export interface ReceivedMessage extends SessionRequest {
  /** Encoded. */
  readonly bytes?: number;
  /** Why it could not be read. */
  readonly fault?: string;
}

/**
 * The service, with a limit of its own on what a node may send: the server's limit has to allow for the largest
 * configuration, and a message of that size would be expanded in memory before anybody could refuse it. What goes to many
 * nodes is encoded once.
 */
export const fleetServiceDefinition = {
  ...FleetServiceService,
  session: { ...FleetServiceService.session, requestDeserialize: readMessage, responseSerialize: encodeOnce },
} as const;

/** Of what nodes learnt, for as long as the message is on its way to some. */
const encodings = new WeakMap<SessionResponse, Buffer>();

function encodeOnce(response: SessionResponse): Buffer {
  const known = encodings.get(response);
  if (known !== undefined) return known;
  const bytes = Buffer.from(SessionResponse.encode(response).finish());
  if (response.message?.$case === "learnt") encodings.set(response, bytes);
  return bytes;
}

export function readMessage(encoded: Buffer): ReceivedMessage {
  const bytes = encoded.length;
  if (bytes > sessionMessageBytesMax)
    return { message: undefined, bytes, fault: `a message: at most ${sessionMessageBytesMax} bytes` };
  try {
    return { message: SessionRequest.decode(encoded).message, bytes };
  } catch {
    return { message: undefined, bytes, fault: "a message that is no protobuf" };
  }
}
