import { createNativeEngine } from "../../dataplane/engine/native-engine.ts";
import { describeEngine } from "./engine.contract.ts";

describeEngine("native", createNativeEngine);
