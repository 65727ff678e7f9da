import type { HelloRejection } from "../../model/reason.ts";
import type { ClientHello } from "./client-hello.ts";

/** What the hello reader says after each chunk. Once it is not `incomplete`, it stays what it is. */
export type HelloOutcome = { readonly outcome: "incomplete" } | SettledOutcome;

/** An outcome that no further byte changes. */
export type SettledOutcome =
  | { readonly outcome: "complete"; readonly hello: ClientHello }
  | {
      readonly outcome: "rejected";
      readonly reason: HelloRejection;
      /** Version for the alert's record header: what this client will read; 0 where it does not speak TLS. */
      readonly recordVersion: number;
    };
