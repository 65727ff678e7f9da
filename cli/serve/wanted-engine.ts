import { chooseEngine, type EngineChoice } from "../../dataplane/engine/choose-engine.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import type { EngineOptions } from "./serve-options.ts";

/** The engine that was asked for, or a failure that says why it can't be had. */
export function engineOf({ engine, engineThreads }: EngineOptions): EngineChoice {
  try {
    return chooseEngine(engine, engineThreads);
  } catch (error) {
    throw new CliFailure(exitCode.failed, error instanceof Error ? error.message : String(error));
  }
}
