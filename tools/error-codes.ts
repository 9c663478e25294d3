// Prints docs/troubleshoot.md from what the code throws: every `reason` with its sentence and remedy as they stand in the
// source, and the registry of reasons of the provisioning log. `npm run fix` writes it; a test says when it is behind.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { REASONS } from '../src/core/reasons.ts';
import { type FoundCode, findCodes } from './find-codes.ts';

const PAGE = new URL('../docs/troubleshoot.md', import.meta.url);

/** Every code that the source can answer, in order. */
export function errorCodes(): readonly string[] {
  return known().map(({ code }) => code);
}

let kept: readonly FoundCode[] | undefined;

function known(): readonly FoundCode[] {
  kept ??= findCodes();
  return kept;
}

/** The page as it should be. */
export function troubleshooting(): string {
  const rows = known().map(rowOf);
  const reasons = Object.entries(REASONS).map(([code, { sentence, remedy }]) => row([`\`${code}\``, sentence, remedy]));
  return `${HEAD}
${table(['Code', 'Status', 'What it says', 'What to do'], rows)}
${MIDDLE}
${table(['Reason', 'What it means', 'What to do'], reasons)}`;
}

const HEAD = `# Troubleshooting by code

Made from the source by \`tools/error-codes.ts\`; do not edit.

Begin with \`npm run doctor\`: it looks at everything from the environment to the last target, and says what to do. Then:

- An answer of \`/api/v1\` has \`code\`, \`detail\`, \`remedy\` and \`requestId\`; the line of the log with that \`request\` has the rest.
- A run that failed has \`error\` with the same \`code\`. Start it again with \`{"logLevel": "debug"}\` and download its log.
- A delivery, a target or a webhook that fails has its code and the other side's answer on its card.
- A start that fails says so in one sentence on standard error, with the code in brackets.

\`…\` stands for what differs from case to case. The status is that of \`/api/v1\`; runs and starts have none.

## Codes of errors
`;

const MIDDLE = `
## Reasons in the provisioning log

\`GET /api/v1/sync-runs/{id}/changes\` and [explain](explain.md) name one for each object.
`;

function rowOf({ code, statuses, sentences, remedies }: FoundCode): string {
  const few = (texts: Set<string>): string => [...texts].sort().slice(0, 3).join('<br>');
  return row([`\`${code}\``, [...statuses].sort().join(', '), few(sentences), few(remedies)]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly string[]): string {
  return `${row(head)}\n${row(head.map(() => '---'))}\n${rows.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, troubleshooting());
