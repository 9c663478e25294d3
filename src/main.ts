// Start: read the configuration, compose, listen; stop in order on a signal.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError, GatewayError } from '#core/errors.ts';
import { makeServer } from '#http/server.ts';
import { type Config, publicUrl, readConfig, VERSION } from '#platform/config.ts';
import { type Log, makeLog } from '#platform/log.ts';
import { startTracing, type Tracing } from '#platform/tracing.ts';
import { compose, type Gateway } from './compose.ts';

/** Requests that are still under way after this long are cut. */
const DRAIN_MS = 10_000;
/** Whatever is not done by then is left as a kill would leave it, before an orchestrator kills (Kubernetes: 30 s). */
const STOP_WITHIN_MS = 25_000;

async function start(): Promise<void> {
  const config = readConfig(process.env);
  const log = makeLog(config.LOG_LEVEL);
  const tracing = await startTracing(process.env, { version: VERSION, log });
  let port = config.PORT;
  const gateway = await compose(config, log, () => publicUrl(config, port));
  // Before anything can still fail: the token is stored, and no later start could show it.
  if (gateway.adminToken !== undefined)
    process.stdout.write(`Admin token (shown once, keep it): ${gateway.adminToken}\n`);
  const server = makeServer(gateway.app, () => publicUrl(config, port).startsWith('https:'));
  try {
    port = await listen(server, config);
  } catch (error) {
    await gateway.close();
    throw error;
  }
  log.info({ port, role: config.ROLE }, 'listening');
  stopOnSignal({ server, gateway, tracing, log });
}

async function listen(server: Server, { HOST, PORT }: Config): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(explain(cause, HOST, PORT)));
    server.listen(PORT, HOST, resolve);
  });
  return (server.address() as AddressInfo).port;
}

function explain(cause: NodeJS.ErrnoException, host: string, port: number): ConfigError {
  if (cause.code === 'EADDRINUSE')
    return new ConfigError(`port ${port} on ${host} is in use`, {
      reason: 'port-in-use',
      remedy: 'Stop the other process, or set PORT to a free one.',
      cause,
    });
  if (cause.code === 'EACCES')
    return new ConfigError(`port ${port} may not be opened by this user`, {
      reason: 'port-refused',
      remedy: 'Set PORT to one above 1023.',
      cause,
    });
  return new ConfigError(`the gateway cannot listen on ${host}:${port} (${cause.code})`, {
    reason: 'listen-failed',
    remedy: 'Set HOST to an address of this machine.',
    cause,
  });
}

interface Running {
  readonly server: Server;
  readonly gateway: Gateway;
  readonly tracing: Tracing | undefined;
  readonly log: Log;
}

/**
 * Takes no more connections, answers what is under way, stops the background work, and then closes the database, all of it
 * within a deadline. A second signal exits at once.
 */
function stopOnSignal({ server, gateway, tracing, log }: Running): void {
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    const late = setTimeout(() => {
      log.error({ ms: STOP_WITHIN_MS }, 'not stopped in time');
      process.exit(1);
    }, STOP_WITHIN_MS);
    const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    const answered = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await Promise.all([answered, gateway.stop()]);
    clearTimeout(cut);
    await gateway.close();
    await tracing?.close();
    clearTimeout(late);
    log.info('stopped');
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal));
}

try {
  await start();
} catch (error) {
  if (!(error instanceof GatewayError)) throw error;
  process.stderr.write(`sluice: ${error.message} [${error.reason}]. ${error.remedy ?? ''}\n`);
  process.exitCode = 1;
}
