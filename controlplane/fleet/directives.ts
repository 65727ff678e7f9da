import type { Directive, DirectiveResult } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** A node has this long to carry out a directive and say so. */
export const directiveTimeoutMs = 10_000;

/** Directives that one node may have before it; one more is turned away. */
export const directivesPerNodeMax = 8;

/** What became of a directive. */
export type DirectiveOutcome =
  | { readonly outcome: "answered"; readonly result: DirectiveResult }
  | { readonly outcome: "timeout" }
  /** The session ended first; whether it was carried out is not known. */
  | { readonly outcome: "session_over" }
  | { readonly outcome: "too_many" };

/** The directives of one session that are not answered yet. */
export class SessionDirectives {
  readonly #send: (directive: Directive) => void;
  readonly #waiting = new Map<string, (outcome: DirectiveOutcome) => void>();
  #count = 0;

  constructor(send: (directive: Directive) => void) {
    this.#send = send;
  }

  /** Sends it under an id of its own, and waits for the answer. */
  ask(action: Directive["action"], timeoutMs: number = directiveTimeoutMs): Promise<DirectiveOutcome> {
    if (this.#waiting.size >= directivesPerNodeMax) return Promise.resolve({ outcome: "too_many" });
    this.#count += 1;
    const id = String(this.#count);
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ outcome: "timeout" }), timeoutMs);
      const settle = (outcome: DirectiveOutcome): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(outcome);
      };
      this.#waiting.set(id, settle);
      this.#send({ id, action });
    });
  }

  /** An answer that nobody waits for any more came too late, and is dropped. */
  answered(result: DirectiveResult): void {
    this.#waiting.get(result.id)?.({ outcome: "answered", result });
  }

  /** The session is over. */
  close(): void {
    for (const settle of this.#waiting.values()) settle({ outcome: "session_over" });
  }
}

/** The nodes of this replica that can be told something now: by id, the session that counts. */
export class DirectiveDesk {
  readonly #sessions = new Map<string, SessionDirectives>();

  open(nodeId: string, session: SessionDirectives): void {
    this.#sessions.set(nodeId, session);
  }

  close(nodeId: string, session: SessionDirectives): void {
    if (this.#sessions.get(nodeId) === session) this.#sessions.delete(nodeId);
    session.close();
  }

  of(nodeId: string): SessionDirectives | undefined {
    return this.#sessions.get(nodeId);
  }
}
