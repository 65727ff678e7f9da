/** Where a log is taken from: a data directory, or else the control plane of the global `--server`. */
export interface SourceOptions {
  readonly dataDir?: string;
}

/** Where a log goes to on NATS, and the replica whose copy it is taken from. */
export interface NatsOptions {
  readonly nats: string;
  readonly namespace: string;
  readonly replicaId: string;
  readonly replicas: number;
}

/** Where a log goes to: the data directory, and from there on to NATS where it is given. */
export interface ImportOptions extends Omit<NatsOptions, "nats"> {
  readonly dataDir: string;
  readonly nats?: string;
}

export interface MoveOptions extends NatsOptions {
  readonly dataDir: string;
  readonly from: "sqlite";
  readonly to: "nats";
}
