// One gateway of several, as a supervisor runs it: started again whenever it has ended.
import { type CutProxy, startCutProxy, through } from '../support/cut-proxy.ts';
import { type GatewayProcess, spawnGateway } from '../support/gateway.ts';

export type Role = 'all' | 'api' | 'worker';

export interface Replica {
  readonly name: string;
  readonly role: Role;
  /** Between it and its database. */
  readonly network: CutProxy;
  /** Undefined while it does not run. */
  readonly process: GatewayProcess | undefined;
  /** Resolves when it answers; tries again when the database is away. */
  start(): Promise<void>;
  /** Kills it as a power cut would. */
  kill(): Promise<void>;
  pause(): void;
  wake(): void;
  /** Ends in order, with exit code 0. @throws {Error} it did not */
  stop(): Promise<void>;
}

export interface ReplicaOptions {
  readonly name: string;
  readonly role: Role;
  readonly databaseUrl: string;
  /** File with the authorities that it trusts beside the usual ones. */
  readonly ca: string;
}

/** @throws {Error} from the next call, when the process has ended by itself while its database was there */
export async function makeReplica({ name, role, databaseUrl, ca }: ReplicaOptions): Promise<Replica> {
  const { hostname: host, port } = new URL(databaseUrl);
  const network = await startCutProxy({ host, port: Number(port || 5432) });
  const storage = { DATABASE_URL: through(network, databaseUrl), ALLOW_LOOPBACK_WEBHOOKS: 'true', ROLE: role };
  let running: GatewayProcess | undefined;
  let starting: Promise<void> | undefined;
  let ownEnd: string | undefined;

  async function startUntilItRuns(): Promise<void> {
    for (;;) {
      try {
        const started = await spawnGateway(storage, ca);
        running = started;
        started.child.once('exit', (code, signal) => {
          if (running === started) ownEnd = `${name} ended by itself with ${code ?? signal}`;
        });
        return;
      } catch (error) {
        if (!String(error).includes('ended with 1')) throw error;
      }
    }
  }

  function noteOwnEnd(): void {
    if (ownEnd !== undefined) throw new Error(ownEnd);
  }

  return {
    name,
    role,
    network,
    get process() {
      return running;
    },
    async start() {
      noteOwnEnd();
      if (running !== undefined) return;
      starting ??= startUntilItRuns().finally(() => {
        starting = undefined;
      });
      await starting;
    },
    async kill() {
      await starting;
      const killed = running;
      running = undefined;
      await killed?.kill();
    },
    pause: () => void running?.child.kill('SIGSTOP'),
    wake: () => void running?.child.kill('SIGCONT'),
    async stop() {
      await starting;
      noteOwnEnd();
      const stopped = running;
      running = undefined;
      const code = await stopped?.stop();
      if (stopped !== undefined && code !== 0) throw new Error(`${name} stopped with ${code}`);
    },
  };
}
