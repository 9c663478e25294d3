// CSV files: uploaded, in a folder of this machine, or behind an https URL. It only reads and yields; what becomes of it
// is decided elsewhere. README.md beside this file has the quirks.
import type { ResourceSchemas } from '#core/attributes.ts';
import { policyOf } from '#core/kind-settings.ts';
import type { Page, ReadMemory } from '#core/pages.ts';
import type { ProviderKind, PullProvider } from '#core/provider.ts';
import { changesOf, makeCheckpoint, versionOf } from './changes.ts';
import { checkFiles } from './checks.ts';
import { copyFiles, type FileParts, findFiles, makeFolder, removeFolder } from './fetch-files.ts';
import { makeFindFields } from './fields.ts';
import type { Validators } from './from-url.ts';
import { previewFiles } from './preview.ts';
import { readFiles } from './read.ts';
import type { CsvRecord } from './records.ts';
import { type CsvSettings, destinationOf, parseSettings, SECRET_PATHS } from './settings.ts';
import { makeMapping } from './to-scim.ts';

interface Parts extends FileParts {
  readonly schemas: ResourceSchemas;
}

export function csv(parts: Parts): ProviderKind<CsvSettings> {
  const { schemas } = parts;
  return {
    kind: 'csv',
    title: 'CSV files',
    available: true,
    secretPaths: SECRET_PATHS,
    parseSettings(value) {
      const settings = parseSettings(value);
      makeMapping(settings, schemas);
      return settings;
    },
    destination: destinationOf,
    policy: policyOf,
    scopeOf: ({ scope }) => scope.filter,
    open: (settings, _trace, memory) => openProvider(settings, parts, memory) as PullProvider,
    test: (settings, signal) => checkFiles(settings, parts, signal),
    preview: (settings, rows, signal) => previewFiles(settings, { parts, schemas, rows }, signal),
    version: (settings) => versionOf(settings, parts),
    mapping: {
      rules: (settings) => makeMapping(settings, schemas).rules,
      trace: (settings, record) => makeMapping(settings, schemas).trace(record as CsvRecord),
    },
    source: { fields: makeFindFields(parts) },
  };
}

function openProvider(settings: CsvSettings, parts: Parts, memory?: ReadMemory): PullProvider<CsvRecord> {
  const mapping = makeMapping(settings, parts.schemas);
  const { keepCreated } = mapping;
  const read = { files: 0, bytes: 0 };
  return {
    kind: 'csv',
    async *pages(signal): AsyncGenerator<Page<CsvRecord>> {
      const folder = await makeFolder();
      try {
        // Before the files are copied: what changes afterwards is another version.
        const version = await versionOf(settings, parts);
        const validators: Record<string, Validators> = {};
        const found = await findFiles(settings, parts, (url, said) => {
          validators[url] = said;
        });
        const files = await copyFiles(found, { folder, settings }, signal);
        for (const { size } of new Map(Object.values(files).map((file) => [file.path, file])).values()) {
          read.files += 1;
          read.bytes += size;
        }
        yield* readFiles(files, { folder, settings, memory }, signal);
        yield {
          type: 'end',
          checkpoint: makeCheckpoint({ ...(version === undefined ? {} : { version }), validators }),
        };
      } finally {
        await removeFolder(folder);
      }
    },
    changes: changesOf(settings, parts),
    externalId: ({ externalId }) => externalId,
    normalise: mapping.normalise,
    explain: mapping.explain,
    ...(keepCreated === undefined ? {} : { keepCreated }),
    // All columns come; what stands where, and what a line is, the settings say.
    asks: JSON.stringify([settings.format, settings.columns]),
    cost: () => ({ requests: read.files, resourceUnits: 0, bytes: read.bytes, throttledMs: 0 }),
  };
}
