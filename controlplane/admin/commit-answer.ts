import { randomUUID } from "node:crypto";
import type { Write } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Violation } from "../../model/violation.ts";
import type { CommandOrigin, CommitAnswer, Committed } from "../state/committer.ts";
import { Refused } from "./refused.ts";

/** What a call was committed as; throws {@link Refused} where it was not. */
export function accepted(answer: CommitAnswer): Committed {
  if (!("refused" in answer)) return answer;
  switch (answer.refused) {
    case "REQUEST_ID_REUSED": {
      const description = `it was used for another command, at revision ${answer.revision}`;
      throw Refused.by(answer.refused, [{ field: "write.request_id", reason: "duplicate", description }]);
    }
    case "COMMIT_TOO_LARGE":
      throw new Refused(
        answer.refused,
        `a commit of ${answer.bytes} bytes; at most ${answer.bytesMax} (commitBytesMax)`,
      );
    default:
      throw Refused.by(answer.refused, answer.violations);
  }
}

/** Who asks, and why, as a changing request says it; `requestBytes` are the request's (`live-bytes.ts`). */
export function commandOrigin(write: Write | undefined, requestBytes: Uint8Array): CommandOrigin {
  const { requestId = "", author = "", reason = "", validateOnly = false } = write ?? {};
  const violations: Violation[] = [];
  const bounded = (field: string, text: string, max: number): void => {
    const description = `${text.length} characters; at most ${max} are allowed`;
    if (text.length > max) violations.push({ field: `write.${field}`, reason: "out_of_range", description });
  };
  bounded("request_id", requestId, 128);
  bounded("author", author, 256);
  bounded("reason", reason, 4096);
  if (violations.length > 0) throw Refused.by("INVALID_FIELD", violations);
  return { requestId: requestId || randomUUID(), requestBytes, author: author || "anonymous", reason, validateOnly };
}
