import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  status,
} from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

let running: RunningControlPlane;
const clients: Client[] = [];
beforeEach(async () => {
  running = await RunningControlPlane.start();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await running.close();
});

interface LooseCall extends Pick<NodeJS.EventEmitter, "on"> {
  write(request: object): void;
  end(): void;
}
type Answered = (error: Error | null, answer: unknown) => void;
/** Methods by the names that the proto file gives them. */
type LooseClient = Readonly<Record<"Watch" | "ServerReflectionInfo", (request?: object) => LooseCall>> & {
  Check(request: object, answered: Answered): void;
};

/** A client that knows nothing but a proto file, as those that others write. */
function clientFrom(protoFile: string, service: string): LooseClient {
  const loaded = loadPackageDefinition(
    protoLoader.loadSync(protoFile, { keepCase: true, enums: String, defaults: true, oneofs: true }),
  );
  let found: unknown = loaded;
  for (const part of service.split(".")) found = (found as GrpcObject)[part];
  const client = new (found as ServiceClientConstructor)(running.address, credentials.createInsecure());
  clients.push(client);
  return client as unknown as LooseClient;
}

describe("the health service", () => {
  const proto = fileURLToPath(new URL("../../proto/grpc/health/v1/health.proto", import.meta.url));
  const check = (service: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      clientFrom(proto, "grpc.health.v1.Health").Check({ service }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });

  test.each([
    "",
    "switchyard.config.v1.ConfigService",
    "switchyard.fleet.v1.FleetService",
    "switchyard.rollout.v1.RolloutService",
  ])("says that %j serves", async (service) => {
    expect(await check(service)).toEqual({ status: "SERVING" });
  });
  test("does not know other services", async () => {
    await expect(check("nonsense")).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
  test("tells who watches, at once and when the server stops", async () => {
    const heard: string[] = [];
    const call = clientFrom(proto, "grpc.health.v1.Health").Watch({ service: "" });
    call.on("data", (answer: { status: string }) => heard.push(answer.status));
    call.on("error", () => undefined);
    await waitFor("the status", () => heard.length > 0);
    expect(heard).toEqual(["SERVING"]);
    const restarted = running.restart();
    await waitFor("the next status", () => heard.length > 1);
    expect(heard).toEqual(["SERVING", "NOT_SERVING"]);
    await restarted;
  });
});

interface ReflectionAnswer {
  readonly list_services_response: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response: { readonly file_descriptor_proto: readonly Uint8Array[] };
  readonly error_response: { readonly error_code: number };
}

describe.each(["v1", "v1alpha"])("server reflection %s, as grpcurl asks for it,", (version) => {
  const folder = dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json"));
  const proto = join(folder, `build/proto/grpc/reflection/${version}/reflection.proto`);
  const ask = (request: object): Promise<ReflectionAnswer> =>
    new Promise((resolve, reject) => {
      const call = clientFrom(proto, `grpc.reflection.${version}.ServerReflection`).ServerReflectionInfo();
      call.on("data", resolve);
      call.on("error", reject);
      call.write(request);
      call.end();
    });

  test("lists the services", async () => {
    const { list_services_response } = await ask({ list_services: "" });
    expect(list_services_response.service.map(({ name }) => name).sort()).toEqual([
      "grpc.health.v1.Health",
      "switchyard.config.v1.ConfigService",
      "switchyard.fleet.v1.FleetService",
      "switchyard.rollout.v1.RolloutService",
    ]);
  });

  test.each([
    ["switchyard.config.v1.ConfigService", "Apply", 31],
    ["switchyard.fleet.v1.FleetService", "Explain", 9],
    ["switchyard.rollout.v1.RolloutService", "ReleaseEmergency", 11],
    ["grpc.health.v1.Health", "Check", 2],
  ])("describes %s, with every file that it needs", async (symbol, method, methods) => {
    const { file_descriptor_response } = await ask({ file_containing_symbol: symbol });
    const files = file_descriptor_response.file_descriptor_proto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
    const service = files
      .flatMap((file) => file.service.map((each) => ({ ...each, full: `${file.package}.${each.name}` })))
      .find(({ full }) => full === symbol);
    expect(service?.method.map(({ name }) => name)).toContain(method);
    expect(service?.method.length).toBe(methods);
    const names = new Set(files.map(({ name }) => name));
    for (const file of files) for (const needed of file.dependency) expect(names).toContain(needed);
  });

  test("says so where it does not know a symbol", async () => {
    const { error_response } = await ask({ file_containing_symbol: "switchyard.config.v1.Nonsense" });
    expect(error_response.error_code).toBe(status.NOT_FOUND);
  });
});
