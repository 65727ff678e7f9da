import type { Write } from "../../proto/gen/switchyard/config/v1/config_service.ts";

/**
 * The bytes of a request as if it were sent live. They tell a retry from another command under the same request id, and
 * `validate_only` must fail just as the live call would (AIP-155, AIP-163).
 */
export function liveBytes<Request extends { write?: Write | undefined }>(
  codec: { encode(request: Request): { finish(): Uint8Array } },
  request: Request,
): Uint8Array {
  const { write } = request;
  if (write === undefined) return codec.encode(request).finish();
  return codec.encode({ ...request, write: { ...write, validateOnly: false } }).finish();
}
