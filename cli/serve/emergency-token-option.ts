import { EmergencyTokenFile, EmergencyTokenUnusable } from "../../controlplane/admin/emergency-token-file.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";

/** The file of `--emergency-token-file`, which must be usable from the start; undefined where the option is not given. */
export function emergencyTokenFileOf(path: string | undefined): EmergencyTokenFile | undefined {
  try {
    return path === undefined ? undefined : EmergencyTokenFile.open(path);
  } catch (error) {
    if (!(error instanceof EmergencyTokenUnusable)) throw error;
    throw new CliFailure(exitCode.usage, `--emergency-token-file: ${error.message}`);
  }
}
