import { createPortableEngine } from "../../dataplane/engine/portable-engine.ts";
import { describeEngine } from "./engine.contract.ts";

// Everything is on one thread here, both ends and the engine: a gibibyte each way would take the better part of a minute.
describeEngine("portable", createPortableEngine, 256);
