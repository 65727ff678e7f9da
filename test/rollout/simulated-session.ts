/** A node's session with a control plane, as far as a simulation has to do with it. */
export interface SimulatedSession {
  /** Whether a control plane has it now. */
  readonly held: boolean;
  reportSoon(): void;
  /** What was counted goes out now. */
  trafficSoon(): void;
  close(): Promise<void>;
}
