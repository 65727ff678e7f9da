import type { Directive, DirectiveResult } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { FleetUpdate } from "../../proto/gen/switchyard/log/v1/log.ts";

/**
 * What control-plane replicas tell each other of the nodes, so that each answers for the whole fleet. Nothing waits for
 * it, and nothing is lost with it for good: a replica that hears nothing shows its own nodes, and asks for the rest when
 * it is back. A single replica has none.
 */
export interface FleetBus {
  /** Tells the others; dropped where they can't be reached. */
  publish(update: FleetUpdate): void;
  /** Hears the others, never itself. Returns the way to stop. */
  onUpdate(callback: (update: FleetUpdate) => void): () => void;
  /** Asks the others to publish all of theirs. */
  requestSync(): void;
  /** Hears others ask. Returns the way to stop. */
  onSyncRequest(callback: () => void): () => void;
  /** Hands a directive to whichever replica holds the node's session. Undefined where none answered in time. */
  direct(nodeId: string, directive: Directive, timeoutMs: number): Promise<DirectiveResult | undefined>;
  /** Takes directives of the others for nodes whose session this replica holds; undefined for any other node. */
  onDirective(handler: (nodeId: string, directive: Directive) => Promise<DirectiveResult> | undefined): () => void;
}
