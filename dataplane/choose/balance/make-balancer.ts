import type { BalanceName } from "../../../model/farm-policy.ts";
import type { Balancer } from "./balancer.ts";
import { FirstWithRoom } from "./first-with-room.ts";
import { LeastConnections } from "./least-connections.ts";
import { Maglev } from "./maglev.ts";
import { PowerOfTwo } from "./power-of-two.ts";
import { RandomByWeight } from "./random-by-weight.ts";
import { RoundRobin } from "./round-robin.ts";
import { SourceHash } from "./source-hash.ts";

/** A balancer that remembers nothing yet. */
export function makeBalancer(name: BalanceName): Balancer {
  switch (name) {
    case "round_robin":
      return new RoundRobin();
    case "least_connections":
      return new LeastConnections();
    case "power_of_two":
      return new PowerOfTwo();
    case "source_hash":
      return new SourceHash();
    case "maglev_source":
      return new Maglev("source");
    case "maglev_server_name":
      return new Maglev("name");
    case "first":
      return new FirstWithRoom();
    case "random":
      return new RandomByWeight();
  }
}
