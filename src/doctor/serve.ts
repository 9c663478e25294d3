// The doctor of a gateway that runs: the same report and bundle as the command's, of the database that is open already. So
// that on embedded storage, too, everything is looked at.
import { type Config, VERSION } from '#platform/config.ts';
import type { Database } from '#store/database.ts';
import { type Bundle, packBundle } from './bundle.ts';
import { examineDatabase } from './examine.ts';
import { lookAtMachine } from './process.ts';
import { type Finding, type Report, reportOf } from './report.ts';

export interface Doctor {
  /** Sends what connection tests send; whoever asks meanwhile gets the same. */
  report(): Promise<Report>;
  bundle(): Promise<Bundle>;
}

export function makeDoctor(config: Config, database: Database, secretKey: string): Doctor {
  let looking: Promise<{ readonly report: Report; readonly secrets: readonly string[] }> | undefined;

  async function look(): Promise<{ readonly report: Report; readonly secrets: readonly string[] }> {
    const own: Finding = {
      area: 'Process',
      name: 'gateway',
      level: 'ok',
      detail: 'It runs: this is what it says of itself.',
    };
    const { findings, secrets } = await examineDatabase(database, config, secretKey);
    return {
      report: reportOf(VERSION, [own, ...lookAtMachine(config), ...findings]),
      secrets: [...secrets, secretKey],
    };
  }

  function examine(): ReturnType<typeof look> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  return {
    report: async () => (await examine()).report,
    async bundle() {
      return packBundle({ ...(await examine()), environment: environmentOf(config), database });
    },
  };
}

/** The variables that were set, as they were read at the start. */
function environmentOf({ given, ...values }: Config): NodeJS.ProcessEnv {
  const entries = Object.entries(values).filter(([name]) => given.has(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
