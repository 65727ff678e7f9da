import { checkout, RunningSwitchyard } from "../e2e/running-switchyard.ts";

/** More environment of a process, and a command line that it is run by. */
export interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  readonly prefix?: readonly string[];
}

/** One control-plane replica or node: it can be killed, and started again with the same words. */
export class FleetProcess {
  readonly id: string;
  readonly #words: readonly string[];
  readonly #ready: RegExp;
  readonly #surroundings: Surroundings;
  #running: RunningSwitchyard | undefined;

  constructor(id: string, words: readonly string[], ready: RegExp, surroundings: Surroundings = {}) {
    this.id = id;
    this.#words = words;
    this.#ready = ready;
    this.#surroundings = surroundings;
  }

  /** Starts it; resolves once it says that it is up. */
  async start(): Promise<void> {
    this.startUnready();
    await this.ready();
  }

  startUnready(): void {
    const { environment, prefix } = this.#surroundings;
    this.#running = new RunningSwitchyard(this.#words, checkout, environment, prefix);
  }

  async ready(): Promise<void> {
    await this.#current.printed(this.#ready);
  }

  /** `kill -9`, and the wait for its end. */
  async kill(): Promise<void> {
    await this.#running?.end("SIGKILL");
    this.#running = undefined;
  }

  /** It does nothing more, and is not dead: for the moment before a kill. */
  freeze(): void {
    process.kill(this.#current.pid, "SIGSTOP");
  }

  async stop(): Promise<void> {
    await this.#running?.end("SIGTERM");
    this.#running = undefined;
  }

  get errors(): string {
    return this.#running?.stderr ?? "";
  }

  get #current(): RunningSwitchyard {
    if (this.#running === undefined) throw new Error(`${this.id} is not running`);
    return this.#running;
  }
}
