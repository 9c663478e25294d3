// Every sentence that a file of the source can say, found in its syntax: each branch of a condition, each way through names
// and templates, with 7 for what differs from case to case. What cannot be read so is an error, not a sentence less.
import { stripTypeScriptTypes } from 'node:module';
import { type AnyNode, parse } from 'acorn';

const SENTENCE = /^\S.* .*\.$/s;
const WORD = /[A-Za-z]{3}/;
/** A value that is not known here. */
const SOMETHING = '7';

/**
 * What stands under one of these names, and where it is asked for, whatever else is a whole sentence.
 * @throws {Error} an expression has words in it, and makes of them what cannot be told here
 */
export function findSentences(source: string, names: readonly string[], whole = false): readonly string[] {
  const program = parse(stripTypeScriptTypes(source), { ecmaVersion: 'latest', sourceType: 'module' });
  const constants = constantsOf(program);
  const found = new Set<string>();
  const see = (node: AnyNode): void => {
    const named = nameOf(node);
    if (named !== undefined && names.includes(named.name))
      for (const text of expand(named.value, constants)) found.add(text);
    if (whole) for (const text of sentencesOf(node, constants)) found.add(text);
    // What a text is made of is no text by itself.
    if (!isText(node)) childrenOf(node).forEach(see);
  };
  see(program);
  return [...found].filter((text) => WORD.test(text));
}

function sentencesOf(node: AnyNode, constants: Constants): readonly string[] {
  return isText(node) ? expand(node, constants).filter((text) => SENTENCE.test(text)) : [];
}

type Constants = ReadonlyMap<string, readonly AnyNode[]>;

/** By name; a name that several functions have may stand for any of theirs. */
function constantsOf(program: AnyNode): Constants {
  const constants = new Map<string, AnyNode[]>();
  const see = (node: AnyNode): void => {
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.init)
      constants.set(node.id.name, [...(constants.get(node.id.name) ?? []), node.init]);
    for (const child of childrenOf(node)) see(child);
  };
  see(program);
  return constants;
}

function nameOf(node: AnyNode): { readonly name: string; readonly value: AnyNode } | undefined {
  if (node.type === 'Property' && node.key.type === 'Identifier' && node.value.type !== 'AssignmentPattern')
    return { name: node.key.name, value: node.value };
  if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.init)
    return { name: node.id.name, value: node.init };
  return undefined;
}

function isText(node: AnyNode): boolean {
  if (node.type === 'Literal') return typeof node.value === 'string';
  if (node.type === 'ConditionalExpression') return isText(node.consequent) || isText(node.alternate);
  if (node.type === 'BinaryExpression') return node.operator === '+' && (isText(node.left) || isText(node.right));
  return node.type === 'TemplateLiteral';
}

/** Every text that it can be; none for nothing. */
function expand(node: AnyNode, constants: Constants): readonly string[] {
  if (node.type === 'Literal')
    return typeof node.value === 'string' ? [node.value] : node.value === null ? [] : [SOMETHING];
  if (node.type === 'ConditionalExpression')
    return [...expand(node.consequent, constants), ...expand(node.alternate, constants)];
  if (node.type === 'LogicalExpression') return [...expand(node.left, constants), ...expand(node.right, constants)];
  if (node.type === 'BinaryExpression' && node.operator === '+')
    return joined([expand(node.left, constants), expand(node.right, constants)]);
  if (node.type === 'TemplateLiteral')
    return joined(
      node.quasis.flatMap(({ value }, index) => {
        const expression = node.expressions[index];
        return [[value.cooked ?? ''], ...(expression === undefined ? [] : [expand(expression, constants)])];
      }),
    );
  if (node.type === 'MemberExpression' && node.object.type === 'ObjectExpression')
    return node.object.properties.flatMap((one) => (one.type === 'Property' ? expand(one.value, constants) : []));
  if (node.type === 'Identifier') {
    const given = constants.get(node.name) ?? [];
    // A constant may be made of another, and none of itself.
    const others = new Map([...constants].filter(([name]) => name !== node.name));
    return given.length === 0 ? [SOMETHING] : [...new Set(given.flatMap((one) => expand(one, others)))];
  }
  if (wordsIn(node)) throw new Error(`It cannot be told what this says: ${JSON.stringify(node).slice(0, 400)}`);
  return [SOMETHING];
}

function joined(parts: readonly (readonly string[])[]): readonly string[] {
  return parts.reduce<readonly string[]>(
    (texts, part) => texts.flatMap((text) => (part.length === 0 ? ['', SOMETHING] : part).map((one) => text + one)),
    [''],
  );
}

/** The path of a request says nothing. */
function wordsIn(node: AnyNode): boolean {
  if (node.type === 'Literal')
    return typeof node.value === 'string' && WORD.test(node.value) && !node.value.startsWith('/');
  if (node.type === 'TemplateElement') return WORD.test(node.value.raw);
  return childrenOf(node).some(wordsIn);
}

function childrenOf(node: AnyNode): readonly AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((child) => typeof child === 'object' && child !== null && 'type' in child) as AnyNode[];
}
