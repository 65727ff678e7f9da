/** Why the state directory can't be used; the node serves on without it. */
export interface DiskFault {
  readonly reason: "no_space" | "read_only" | "permission_denied" | "too_slow" | "other";
  readonly detail: string;
}

export function diskFault(error: unknown): DiskFault {
  const { code = "", message = String(error) } = error as Partial<NodeJS.ErrnoException>;
  return { reason: reasonOf(code), detail: message };
}

function reasonOf(code: string): DiskFault["reason"] {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "no_space";
    case "EROFS":
      return "read_only";
    case "EACCES":
    case "EPERM":
      return "permission_denied";
    default:
      return "other";
  }
}
