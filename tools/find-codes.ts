// Every code that the source can answer, found in its syntax: objects with a `reason` (or the `code` of a run's error), also
// where a function is handed the code, where it is one of two, and where it has a name of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import {
  type AnyNode,
  type CallExpression,
  type FunctionDeclaration,
  type NewExpression,
  type ObjectExpression,
  parse,
} from 'acorn';
import * as errors from '../src/core/errors.ts';
import { PROBLEM_STATUS } from '../src/http/problem.ts';

const SOURCE = new URL('../src/', import.meta.url);
/** The console's server half only; the demonstration is not run by anybody who needs this. */
const LEFT_OUT = /^(console|demo)\//;
const CODE = /^[a-z]+(-[a-z0-9]+)*$/;

export interface FoundCode {
  readonly code: string;
  readonly statuses: Set<number>;
  readonly sentences: Set<string>;
  readonly remedies: Set<string>;
}

/** What a name stands for where it is read; of a condition by name, which way it went. */
type Names = ReadonlyMap<string, string>;

interface File {
  readonly program: AnyNode;
  /** Texts and numbers that are constants of the file. */
  readonly names: Names;
  readonly makers: ReadonlyMap<string, Maker>;
}

/** A function that makes an error, or what one is made of, with a code that it is handed. */
interface Maker {
  readonly params: readonly string[];
  readonly facts: ObjectExpression;
  readonly made: NewExpression | undefined;
  readonly names: Names;
}

/** In order. */
export function findCodes(): readonly FoundCode[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !LEFT_OUT.test(name))
    .sort()
    .map((name) => read(readFileSync(new URL(name, SOURCE), 'utf8')));
  const shared = new Map(files.flatMap(({ makers }) => [...makers]));
  const found = new Map<string, FoundCode>();
  for (const file of files) collect(found, file, shared);
  return [...found.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

function read(source: string): File {
  const program = parse(stripTypeScriptTypes(source), { ecmaVersion: 'latest', sourceType: 'module' });
  const names = new Map<string, string>();
  const functions: FunctionDeclaration[] = [];
  walk(program, undefined, (node) => {
    if (node.type === 'FunctionDeclaration') functions.push(node as FunctionDeclaration);
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier' || !/^[A-Z]/.test(node.id.name)) return;
    const text = textOf(node.init ?? undefined, names);
    if (text !== undefined) names.set(node.id.name, text);
  });
  return { program, names, makers: new Map(functions.flatMap((one) => makerOf(one, names))) };
}

function makerOf(declared: FunctionDeclaration, names: Names): [string, Maker][] {
  const params = declared.params.map((param) => (param.type === 'Identifier' ? param.name : ''));
  const found: [string, Maker][] = [];
  walk(declared.body, undefined, (node, parent) => {
    if (node.type !== 'ObjectExpression') return;
    const code = valueAt(node, 'reason');
    if (code?.type !== 'Identifier' || !params.includes(code.name)) return;
    const made = parent?.type === 'NewExpression' ? parent : undefined;
    found.push([declared.id.name, { params, facts: node, made, names }]);
  });
  return found;
}

function collect(found: Map<string, FoundCode>, { program, names, makers }: File, shared: File['makers']): void {
  walk(program, undefined, (node, parent) => {
    if (node.type === 'ObjectExpression') {
      const made = parent?.type === 'NewExpression' ? parent : undefined;
      note(found, codeAt(node), { facts: node, made, names });
    }
    if (node.type === 'CallExpression') noteCall(found, node, { names, makers, shared });
    if (node.type === 'NewExpression') noteClass(found, node, names);
  });
}

/** The `reason` of an error of ours, or the `code` of what a run or delivery ended with. */
function codeAt(node: ObjectExpression): AnyNode | undefined {
  return valueAt(node, 'reason') ?? (valueAt(node, 'failure') === undefined ? undefined : valueAt(node, 'code'));
}

function noteCall(
  found: Map<string, FoundCode>,
  { callee, arguments: given }: CallExpression,
  { names, makers, shared }: { names: Names; makers: File['makers']; shared: File['makers'] },
): void {
  const maker = callee.type === 'Identifier' ? (makers.get(callee.name) ?? shared.get(callee.name)) : undefined;
  if (maker === undefined) return;
  const handed = maker.params.flatMap((param, index): [string, string][] => {
    const text = textOf(given[index], names);
    return text === undefined ? [] : [[param, text]];
  });
  const within = new Map([...maker.names, ...handed]);
  note(found, valueAt(maker.facts, 'reason'), { ...maker, names: within });
}

/** Without a reason of its own an error has that of its class. */
function noteClass(found: Map<string, FoundCode>, made: NewExpression, names: Names): void {
  const [, given] = made.arguments;
  const facts = given?.type === 'ObjectExpression' ? given : undefined;
  const own = facts?.properties.some(
    (one) => one.type !== 'Property' || (one.key.type === 'Identifier' && one.key.name === 'reason'),
  );
  if (own === true || (given !== undefined && facts === undefined)) return;
  const { reason } = example(made) ?? {};
  if (reason !== undefined) noteOne(found, reason, { facts, made, names });
}

interface Said {
  readonly facts: ObjectExpression | undefined;
  readonly made: NewExpression | undefined;
  readonly names: Names;
}

/** Of a code that is one of two, each with the words of its own branch. */
function note(found: Map<string, FoundCode>, code: AnyNode | undefined, said: Said): void {
  if (code?.type === 'ConditionalExpression' && code.test.type === 'Identifier') {
    for (const [branch, way] of [[code.consequent, YES] as const, [code.alternate, NO] as const])
      note(found, branch, { ...said, names: new Map([...said.names, [conditionOf(code.test.name), way]]) });
    return;
  }
  if (code?.type === 'ConditionalExpression') {
    note(found, code.consequent, said);
    note(found, code.alternate, said);
    return;
  }
  const text = textOf(code, said.names);
  if (text !== undefined) noteOne(found, text, said);
}

function noteOne(found: Map<string, FoundCode>, code: string, { facts, made, names }: Said): void {
  const sentence = textOf(made === undefined ? valueAt(facts, 'message') : made.arguments[0], names);
  const remedy = textOf(valueAt(facts, 'remedy'), names);
  // What says nothing is a word for a log, and no error.
  if (!CODE.test(code) || (made === undefined && valueAt(facts, 'message') === undefined && remedy === undefined))
    return;
  const entry = found.get(code) ?? { code, statuses: new Set(), sentences: new Set(), remedies: new Set() };
  found.set(code, entry);
  const status = made === undefined ? undefined : statusOf(made);
  if (status !== undefined) entry.statuses.add(status);
  if (sentence !== undefined) entry.sentences.add(sentence);
  if (remedy !== undefined && remedy !== '') entry.remedies.add(remedy);
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

function valueAt(node: ObjectExpression | undefined, name: string): AnyNode | undefined {
  for (const property of node?.properties ?? [])
    if (property.type === 'Property' && property.key.type === 'Identifier' && property.key.name === name)
      return property.value;
  return undefined;
}

/** What a text says whatever the values: of two that depend on something, both. */
function textOf(node: AnyNode | undefined, names: Names): string | undefined {
  if (node?.type === 'Literal')
    return typeof node.value === 'string' || typeof node.value === 'number' ? String(node.value) : undefined;
  if (node?.type === 'Identifier') return names.get(node.name);
  if (node?.type === 'TemplateLiteral')
    return node.quasis
      .map(({ value }, index) => `${value.cooked}${filled(node.expressions[index], names)}`)
      .join('')
      .replaceAll(/…{2,}/g, '…');
  if (node?.type === 'ConditionalExpression') {
    const way = node.test.type === 'Identifier' ? names.get(conditionOf(node.test.name)) : undefined;
    if (way !== undefined) return textOf(way === YES ? node.consequent : node.alternate, names);
    return [textOf(node.consequent, names), textOf(node.alternate, names)]
      .filter((text) => text !== undefined && text !== '')
      .join(' / ');
  }
  return undefined;
}

const [YES, NO] = ['yes', 'no'];

/** No name of a constant, so that both fit into one map. */
function conditionOf(name: string): string {
  return `${name}?`;
}

function filled(expression: AnyNode | undefined, names: Names): string {
  if (expression === undefined) return '';
  return expression.type === 'Identifier' ? (names.get(expression.name) ?? '…') : '…';
}

type ErrorClass = new (message: string, options: object) => errors.GatewayError;

/** An error of the class that is made there. */
function example({ callee, arguments: [, given] }: NewExpression): errors.GatewayError | undefined {
  const name = callee.type === 'Identifier' ? callee.name : '';
  const found = (errors as unknown as Record<string, ErrorClass | undefined>)[name];
  const failure = given?.type === 'ObjectExpression' ? textOf(valueAt(given, 'failure'), new Map()) : undefined;
  return found === undefined ? undefined : new found('', { failure: failure ?? 'network', retryAfterMs: 0 });
}

function statusOf(made: NewExpression): number | undefined {
  const error = example(made);
  return error === undefined ? undefined : PROBLEM_STATUS[error.code];
}
