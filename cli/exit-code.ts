/**
 * What the process ends with. No code has two meanings, so that a script can tell "they differ" from "it failed"; a
 * test compares this table with the one in `--help`.
 */
export const exitCode = {
  /** Done. */
  ok: 0,
  /** Refused by the control plane, or failed. */
  failed: 1,
  /** The command line or a file is wrong; nothing was sent. */
  usage: 2,
  /** The control plane could not be reached, or did not answer in time. */
  unreachable: 3,
  /** `diff` found a difference. */
  different: 4,
  /** `drain --wait` was not done when its time was over. */
  connectionsLeft: 5,
  /** A watched rollout was rolled back. */
  rolledBack: 6,
  /** A watched rollout was aborted. */
  aborted: 7,
  /** A watched rollout is paused: by a gate that failed, or with `--exit-on-pause` by anybody. */
  paused: 8,
  /** Stopped by SIGINT or SIGTERM before it was done (what runs until it is stopped ends with 0). */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export const exitCodeHelp = `Exit codes:
    0  done
    1  refused by the control plane, or failed
    2  the command line or a file is wrong; nothing was sent
    3  the control plane could not be reached, or did not answer in time
    4  diff: the two revisions differ
    5  drain --wait: connections were left when the time was over
    6  rollout --watch: the rollout was rolled back
    7  rollout --watch: the rollout was aborted
    8  rollout --watch: the rollout is paused by a gate that failed, or by anybody with --exit-on-pause
  130  interrupted before it was done`;
