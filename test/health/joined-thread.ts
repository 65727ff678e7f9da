import type { ProbeOrder } from "../../dataplane/health/thread/probe-messages.ts";
import { ProbeHost } from "../../dataplane/health/thread/probe-host.ts";
import type { ProbeThreadEvents, StartProbeThread } from "../../dataplane/health/thread/probe-thread.ts";

interface JoinedLife {
  readonly host: ProbeHost;
  readonly orders: ProbeOrder[];
  readonly events: ProbeThreadEvents;
}

/** The thread's two ends in one thread, its messages copied as between two: every life of it, to be looked at and ended. */
export class JoinedThread {
  readonly lives: JoinedLife[] = [];
  /** Orders are kept where they are looked at; there may be millions. */
  readonly #keepsOrders: boolean;

  constructor(keepsOrders = true) {
    this.#keepsOrders = keepsOrders;
  }

  readonly start: StartProbeThread = (events) => {
    let closed: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (closed = resolve));
    const host = new ProbeHost((reports) => {
      const copy = structuredClone(reports);
      setImmediate(() => events.reports(copy));
    }, closed);
    const orders: ProbeOrder[] = [];
    this.lives.push({ host, orders, events });
    return {
      post: (posted) => {
        const copy = structuredClone(posted);
        if (this.#keepsOrders) orders.push(...copy);
        host.take(copy);
      },
      close: () => ended,
    };
  };

  /** The life from the end: 0 for the last. */
  life(fromEnd = 0): JoinedLife {
    const life = this.lives.at(-1 - fromEnd);
    if (life === undefined) throw new Error("the thread was not started");
    return life;
  }
}
