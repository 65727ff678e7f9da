/** Where a log is taken from: a data directory, or else the control plane of the global `--server`. */
export interface SourceOptions {
  readonly dataDir?: string;
}

export interface ImportOptions {
  readonly dataDir: string;
}
