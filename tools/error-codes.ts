// Prints docs/troubleshoot.md from what the code throws: every `reason` with its sentence and remedy as they stand in the
// source, and the registry of reasons of the provisioning log. `npm run fix` writes it; a test says when it is behind.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type AnyNode, type NewExpression, type ObjectExpression, parse } from 'acorn';
import * as errors from '../src/core/errors.ts';
import { REASONS } from '../src/core/reasons.ts';
import { PROBLEM_STATUS } from '../src/http/problem.ts';

const ROOT = new URL('../', import.meta.url);
const PAGE = new URL('docs/troubleshoot.md', ROOT);
/** The console's server half only; the demonstration is not run by anybody who needs this. */
const LEFT_OUT = /^(console|demo)\//;
const CODE = /^[a-z]+(-[a-z0-9]+)*$/;

interface Known {
  readonly code: string;
  readonly statuses: Set<number>;
  readonly sentences: Set<string>;
  readonly remedies: Set<string>;
}

/** Every code that the source can answer, in order. */
export function errorCodes(): readonly string[] {
  return known().map(({ code }) => code);
}

let kept: readonly Known[] | undefined;

function known(): readonly Known[] {
  if (kept !== undefined) return kept;
  const found = new Map<string, Known>();
  for (const name of readdirSync(new URL('src', ROOT), { recursive: true, encoding: 'utf8' }).sort())
    if (name.endsWith('.ts') && !LEFT_OUT.test(name))
      collect(found, readFileSync(new URL(`src/${name}`, ROOT), 'utf8'));
  kept = [...found.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
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

type ErrorClass = new (message: string, options: object) => errors.GatewayError;

function collect(found: Map<string, Known>, source: string): void {
  const program = parse(stripTypeScriptTypes(source), { ecmaVersion: 'latest', sourceType: 'module' });
  const note = (code: string | undefined, facts: ObjectExpression | undefined, made?: NewExpression): void => {
    if (code === undefined || !CODE.test(code)) return;
    const entry = found.get(code) ?? { code, statuses: new Set(), sentences: new Set(), remedies: new Set() };
    found.set(code, entry);
    const status = made === undefined ? undefined : statusOf(made);
    if (status !== undefined) entry.statuses.add(status);
    const sentence = made === undefined ? textAt(facts, 'message') : textOf(made.arguments[0]);
    if (sentence !== undefined) entry.sentences.add(sentence);
    const remedy = textAt(facts, 'remedy');
    if (remedy !== undefined) entry.remedies.add(remedy);
  };
  walk(program, undefined, (node, parent) => {
    if (node.type === 'ObjectExpression')
      note(textAt(node, 'reason'), node, parent?.type === 'NewExpression' ? parent : undefined);
    if (node.type !== 'NewExpression') return;
    // Without a reason of its own an error has that of its class.
    const options = node.arguments[1]?.type === 'ObjectExpression' ? node.arguments[1] : undefined;
    const own = options?.properties.some(
      (one) => one.type !== 'Property' || (one.key.type === 'Identifier' && one.key.name === 'reason'),
    );
    if (own !== true && (node.arguments[1] === undefined || options !== undefined))
      note(example(node)?.reason, options, node);
  });
}

function walk(
  node: AnyNode,
  parent: AnyNode | undefined,
  see: (node: AnyNode, parent: AnyNode | undefined) => void,
): void {
  see(node, parent);
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child === 'object' && child !== null && 'type' in child) walk(child as AnyNode, node, see);
}

function textAt(node: ObjectExpression | undefined, name: string): string | undefined {
  for (const property of node?.properties ?? [])
    if (property.type === 'Property' && property.key.type === 'Identifier' && property.key.name === name)
      return textOf(property.value);
  return undefined;
}

/** What a text says whatever the values: of two that depend on something, both. */
function textOf(node: AnyNode | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked).join('…');
  if (node?.type === 'ConditionalExpression')
    return [textOf(node.consequent), textOf(node.alternate)]
      .filter((text) => text !== undefined && text !== '')
      .join(' / ');
  return undefined;
}

/** An error of the class that is made there. */
function example({ callee }: NewExpression): errors.GatewayError | undefined {
  const name = callee.type === 'Identifier' ? callee.name : '';
  const found = (errors as unknown as Record<string, ErrorClass | undefined>)[name];
  return found === undefined ? undefined : new found('', { failure: 'network', retryAfterMs: 0 });
}

function statusOf(made: NewExpression): number | undefined {
  const error = example(made);
  return error === undefined ? undefined : PROBLEM_STATUS[error.code];
}

function rowOf({ code, statuses, sentences, remedies }: Known): string {
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
