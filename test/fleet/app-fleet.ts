import { onTestFinished } from "vitest";
import { EchoServer } from "./long-connections.ts";
import { RealFleet, type RealFleetOptions } from "./real-fleet.ts";

/** For one test: a fleet whose nodes lead `app.test` to a TLS server, all at revision 1. Both end with the test. */
export async function appFleet(
  options: RealFleetOptions,
): Promise<{ readonly fleet: RealFleet; readonly server: EchoServer }> {
  const fleet = await RealFleet.start(options);
  onTestFinished(() => fleet.stop());
  const server = await EchoServer.listen(fleet.network.address, "app.test");
  onTestFinished(() => server.close());
  await fleet.applyApp(server.address);
  await fleet.allAt(1);
  return { fleet, server };
}
