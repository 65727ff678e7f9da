/** The name of the system's error (`ECONNREFUSED`), or an empty text for an error of another kind. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Whether the system wants for descriptors or memory: the answer is to wait, not to fail. */
export function isExhaustion(code: string): boolean {
  return code === "EMFILE" || code === "ENFILE" || code === "ENOBUFS" || code === "ENOMEM";
}
