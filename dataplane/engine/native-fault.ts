import { getSystemErrorName } from "node:util";
import { faultPlaces } from "./native-wire.ts";

/**
 * A fault of the native engine as an error with the system's code.
 * @param place where it was met, by its place in `faultPlaces`
 * @param error an errno
 */
export function systemFault(place: number, error: number): Error {
  const code = getSystemErrorName(-error);
  return Object.assign(new Error(`native engine: ${faultPlaces[place] ?? "somewhere"}: ${code}`), { code });
}
