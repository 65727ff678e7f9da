import { createPortableEngine } from "../../dataplane/engine/portable-engine.ts";
import { describeEngine } from "./engine.contract.ts";

describeEngine("portable", createPortableEngine);
