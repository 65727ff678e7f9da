import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { ClosedConnection, ConnectionHandler } from "./engine.ts";

/** What a connection needs of its engine. */
export interface ConnectionHost {
  readonly handler: ConnectionHandler;
  readonly wheel: DeadlineWheel;
  /** Nothing of a connection is left. Called once for each. */
  closed(record: ClosedConnection): void;
  /** An attempt to connect found the system without descriptors or memory. */
  exhausted(): void;
}
