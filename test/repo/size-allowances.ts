import type { SizeAllowance } from "./size-law.ts";

/** What may be bigger than the rest. Each entry says why it is better whole; dividing it comes first. */
export const sizeAllowances: readonly SizeAllowance[] = [];
