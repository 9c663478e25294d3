// A filter tree as a where clause on `resources r`. Equality goes through the GIN index on `search`, names and times
// through columns, members and groups through the membership table. Nothing is ever filtered in memory.
import { type Resolved, type ResourceSchema, resolveInFilter } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import type { AttributePath, Filter, Literal, Operator } from '#core/filter.ts';
import { foldCase, isCaseExact } from '#core/search.ts';

/** Parts of a statement: text with `$n` from `values`, starting after those the caller already has. */
export interface Where {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * @param from how many values the statement has before this clause
 * @throws {InputError} `invalidFilter`: an unknown attribute, or a comparison that its type does not have
 */
export function compileFilter(filter: Filter, schema: ResourceSchema, from = 0): Where {
  const compiler = new Compiler(schema, from);
  return { text: compiler.filter(filter), values: compiler.values };
}

type Compare = Extract<Filter, { kind: 'compare' }>;

class Compiler {
  readonly values: unknown[] = [];
  private readonly schema: ResourceSchema;
  private readonly from: number;
  private aliases = 0;

  constructor(schema: ResourceSchema, from: number) {
    this.schema = schema;
    this.from = from;
  }

  filter(filter: Filter): string {
    switch (filter.kind) {
      case 'and':
      case 'or':
        return `(${filter.terms.map((term) => this.filter(term)).join(` ${filter.kind} `)})`;
      case 'not':
        return `not ${this.filter(filter.term)}`;
      case 'present':
        return this.present(filter.path);
      case 'element':
        return this.element(filter.path, filter.filter);
      case 'compare':
        return this.compare(filter);
    }
  }

  private bind(value: unknown): string {
    this.values.push(value);
    return `$${this.from + this.values.length}`;
  }

  private present(path: AttributePath): string {
    const resolved = resolveInFilter(this.schema, path);
    const { attribute, sub } = resolved;
    if (attribute.name === 'id' || attribute.name === 'meta' || attribute.name === 'schemas') return 'true';
    if (attribute.name === 'externalId') return 'r.external_id is not null';
    if (attribute.name === 'members') return 'exists (select 1 from group_members gm where gm.group_id = r.id)';
    if (attribute.name === 'groups') return 'exists (select 1 from group_members gm where gm.member_id = r.id)';
    if (attribute.multiValued && sub !== undefined) {
      const element = this.alias();
      return `exists (select 1 from ${elements(jsonPath(resolved), element)} where (${element} -> ${this.bind(sub.name)}) is not null)`;
    }
    return `(r.search #> ${this.bind(keys(resolved))}::text[]) is not null`;
  }

  private compare({ path, operator, value }: Compare): string {
    const resolved = resolveInFilter(this.schema, path);
    const { attribute, sub, extension } = resolved;
    if (value === null) {
      const present = this.present(path);
      return operator === 'eq' ? `not ${present}` : operator === 'ne' ? present : this.never();
    }
    if (attribute.type === 'complex' && sub === undefined && !attribute.multiValued) throw unfit(path, operator);
    if (extension === undefined) {
      const column = this.column(resolved, operator, value, path);
      if (column !== undefined) return column;
    }
    return this.json(resolved, operator, value, path);
  }

  /** Attributes that have a column, or a table, of their own. */
  private column(
    { attribute, sub }: Resolved,
    operator: Operator,
    value: Literal,
    path: AttributePath,
  ): string | undefined {
    const { resourceType } = this.schema;
    const name = sub === undefined ? attribute.name : `${attribute.name}.${sub.name}`;
    const text = (): string => stringOf(value, path, operator);
    switch (name) {
      case 'id':
        return this.uuid('r.id', operator, text());
      case 'externalId':
        return this.text('r.external_id', operator, text());
      case 'active':
        return this.truth('r.active', operator, booleanOf(value, path, operator), path);
      case 'meta.created':
        return this.time('r.created_at', operator, text(), path);
      case 'meta.lastModified':
        return this.time('r.updated_at', operator, text(), path);
      case 'meta.resourceType':
        return this.text(`'${resourceType}'::text`, operator, text());
      case 'meta.version':
        return this.text(`('W/"' || r.version || '"')`, operator, text());
      case 'meta.location':
        return this.uuid('r.id', operator, text().slice(text().lastIndexOf('/') + 1));
      case resourceType === 'User' ? 'userName' : 'displayName':
        return this.text('r.name_key', operator, foldCase(text()));
      default:
        return this.relation(name, operator, value, path);
    }
  }

  private relation(name: string, operator: Operator, value: Literal, path: AttributePath): string | undefined {
    const [of, sub = 'value'] = name.split('.');
    if (of !== 'members' && of !== 'groups') return undefined;
    const positive = operator === 'ne' ? 'eq' : operator;
    const exists = this.related(of, () => this.relatedColumn(of, sub, positive, stringOf(value, path, operator), path));
    return operator === 'ne' ? `not ${exists}` : exists;
  }

  private related(of: 'members' | 'groups', condition: () => string): string {
    if (of === 'members') return `exists (select 1 from group_members gm where gm.group_id = r.id and ${condition()})`;
    return `exists (select 1 from group_members gm join resources gr on gr.id = gm.group_id and gr.deleted_at is null where gm.member_id = r.id and ${condition()})`;
  }

  private relatedColumn(
    of: 'members' | 'groups',
    sub: string,
    operator: Operator,
    text: string,
    path: AttributePath,
  ): string {
    const id = of === 'members' ? 'gm.member_id' : 'gm.group_id';
    if (sub === 'value') return this.uuid(id, operator, text);
    if (sub === '$ref') return this.uuid(id, operator, text.slice(text.lastIndexOf('/') + 1));
    if (sub === 'type')
      return this.text(of === 'members' ? 'lower(gm.member_type)' : `'direct'::text`, operator, foldCase(text));
    if (sub === 'display')
      return of === 'groups'
        ? this.text('gr.name_key', operator, foldCase(text))
        : `exists (select 1 from resources mr where mr.id = gm.member_id and ${this.text('lower(mr.display)', operator, foldCase(text))})`;
    throw unfit(path, operator);
  }

  /** Everything that lies in the document. */
  private json(resolved: Resolved, operator: Operator, value: Literal, path: AttributePath): string {
    const { attribute } = resolved;
    const leaf =
      resolved.sub ?? (attribute.multiValued && attribute.type === 'complex' ? attribute.sub.get('value') : attribute);
    if (leaf === undefined || leaf.type === 'complex') throw unfit(path, operator);
    const literal = literalOf(leaf.type, spelled(leaf.name, value), path, operator);
    if (operator === 'eq' || operator === 'ne') {
      const contains = `r.search @> ${this.bind(JSON.stringify(containment(resolved, leaf.name, literal)))}::jsonb`;
      return operator === 'eq' ? contains : `not (${contains})`;
    }
    if (typeof literal === 'boolean' || leaf.type === 'binary') throw unfit(path, operator);
    if (!attribute.multiValued)
      return this.ordered(`(r.search #>> ${this.bind(keys(resolved))}::text[])`, operator, literal);
    const element = this.alias();
    const inside = attribute.type === 'complex' ? `(${element} ->> ${this.bind(leaf.name)})` : `(${element} #>> '{}')`;
    return `exists (select 1 from ${elements(jsonPath(resolved), element)} where ${this.ordered(inside, operator, literal)})`;
  }

  private ordered(expression: string, operator: Operator, literal: string | number): string {
    if (typeof literal === 'number')
      return `coalesce(${expression}::numeric ${SIGN[operator]} ${this.bind(literal)}, false)`;
    return this.text(expression, operator, literal);
  }

  /** `emails[type eq "work" and value co "x"]`: one element fulfils all of it. */
  private element(path: AttributePath, filter: Filter): string {
    const resolved = resolveInFilter(this.schema, path);
    const { attribute, extension } = resolved;
    if (attribute.type !== 'complex' || resolved.sub !== undefined) throw unfit(path, 'eq');
    if (extension === undefined && (attribute.name === 'members' || attribute.name === 'groups')) {
      const of = attribute.name;
      return this.related(of, () => this.inside(filter, attribute.sub, (term, sub) => this.relatedTerm(of, sub, term)));
    }
    const element = this.alias();
    const source = attribute.multiValued
      ? elements(jsonPath(resolved), element)
      : `(select ${jsonPath(resolved)}) as ${element}(${element})`;
    const condition = this.inside(filter, attribute.sub, (term, sub) => this.elementTerm(element, term, sub));
    return `(${this.hint(resolved, filter)}exists (select 1 from ${source} where ${condition}))`;
  }

  /** The equalities that every match must have, so that the index narrows before elements are opened. */
  private hint(resolved: Resolved, filter: Filter): string {
    const { attribute } = resolved;
    const terms = filter.kind === 'and' ? filter.terms : [filter];
    const equal: Record<string, Literal> = {};
    for (const term of terms)
      if (term.kind === 'compare' && term.operator === 'eq' && term.value !== null && term.path.schema === undefined) {
        const sub = attribute.sub.get(foldCase(term.path.attribute));
        if (sub !== undefined && !(sub.name in equal))
          equal[sub.name] = literalOf(sub.type, spelled(sub.name, term.value), term.path, 'eq');
      }
    if (Object.keys(equal).length === 0) return '';
    const wanted = nest(resolved, attribute.multiValued ? [equal] : equal);
    return `r.search @> ${this.bind(JSON.stringify(wanted))}::jsonb and `;
  }

  private inside(
    filter: Filter,
    subs: ReadonlyMap<string, { readonly name: string }>,
    leaf: (term: Extract<Filter, { kind: 'compare' | 'present' }>, sub: string) => string,
  ): string {
    switch (filter.kind) {
      case 'and':
      case 'or':
        return `(${filter.terms.map((term) => this.inside(term, subs, leaf)).join(` ${filter.kind} `)})`;
      case 'not':
        return `not ${this.inside(filter.term, subs, leaf)}`;
      case 'element':
        throw unfit(filter.path, 'eq');
      default: {
        const sub =
          filter.path.sub === undefined && filter.path.schema === undefined
            ? subs.get(foldCase(filter.path.attribute))
            : undefined;
        if (sub === undefined)
          throw new InputError(
            `The filter names "${filter.path.attribute.slice(0, 80)}", which the attribute does not have.`,
            {
              scimType: 'invalidFilter',
              reason: 'invalid-filter',
            },
          );
        return leaf(filter, sub.name);
      }
    }
  }

  private relatedTerm(
    of: 'members' | 'groups',
    sub: string,
    term: Extract<Filter, { kind: 'compare' | 'present' }>,
  ): string {
    if (term.kind === 'present') return 'true';
    if (term.value === null) return term.operator === 'ne' ? 'true' : 'false';
    const positive = term.operator === 'ne' ? 'eq' : term.operator;
    const condition = this.relatedColumn(of, sub, positive, stringOf(term.value, term.path, term.operator), term.path);
    return term.operator === 'ne' ? `not ${condition}` : condition;
  }

  private elementTerm(element: string, term: Extract<Filter, { kind: 'compare' | 'present' }>, sub: string): string {
    const present = (): string => `(${element} -> ${this.bind(sub)}) is not null`;
    if (term.kind === 'present') return present();
    const { operator, value, path } = term;
    if (value === null) return operator === 'eq' ? `not (${present()})` : operator === 'ne' ? present() : this.never();
    const type = typeof value === 'boolean' || sub === 'primary' ? 'boolean' : 'string';
    const literal = literalOf(type, spelled(sub, value), path, operator);
    if (operator === 'eq' || operator === 'ne') {
      const contains = `${element} @> ${this.bind(JSON.stringify({ [sub]: literal }))}::jsonb`;
      return operator === 'eq' ? contains : `not (${contains})`;
    }
    if (typeof literal === 'boolean') throw unfit(path, operator);
    return this.ordered(`(${element} ->> ${this.bind(sub)})`, operator, literal);
  }

  private text(expression: string, operator: Operator, text: string): string {
    if (operator === 'co') return `coalesce(${expression} like ${this.bind(`%${escapeLike(text)}%`)}, false)`;
    if (operator === 'sw') return `coalesce(${expression} like ${this.bind(`${escapeLike(text)}%`)}, false)`;
    if (operator === 'ew') return `coalesce(${expression} like ${this.bind(`%${escapeLike(text)}`)}, false)`;
    if (operator === 'ne') return `${expression} is distinct from ${this.bind(text)}`;
    // No coalesce around equality: it would hide the column from its index, and a null is no match under `not` either way.
    if (operator === 'eq') return `(${expression} is not null and ${expression} = ${this.bind(text)})`;
    return `coalesce(${expression} collate "C" ${SIGN[operator]} ${this.bind(text)}, false)`;
  }

  private uuid(expression: string, operator: Operator, text: string): string {
    const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
    if (operator === 'eq') return isUuid ? `${expression} = ${this.bind(text.toLowerCase())}::uuid` : this.never();
    if (operator === 'ne') return isUuid ? `${expression} <> ${this.bind(text.toLowerCase())}::uuid` : 'true';
    return this.text(`${expression}::text`, operator, text.toLowerCase());
  }

  private time(expression: string, operator: Operator, text: string, path: AttributePath): string {
    const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(instant) || ['co', 'sw', 'ew'].includes(operator)) throw unfit(path, operator);
    return `${expression} ${SIGN[operator]} ${this.bind(new Date(instant).toISOString())}::timestamptz`;
  }

  private truth(expression: string, operator: Operator, value: boolean, path: AttributePath): string {
    if (operator !== 'eq' && operator !== 'ne') throw unfit(path, operator);
    return (operator === 'eq') === value ? expression : `not ${expression}`;
  }

  private never(): string {
    return 'false';
  }

  private alias(): string {
    this.aliases += 1;
    return `e${this.aliases}`;
  }
}

const SIGN: Readonly<Record<Operator, string>> = {
  eq: '=',
  ne: '<>',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  co: '',
  sw: '',
  ew: '',
};

function keys({ extension, attribute, sub }: Resolved): string[] {
  return [...(extension === undefined ? [] : [extension]), attribute.name, ...(sub === undefined ? [] : [sub.name])];
}

/** SQL text for the value; names come from the schemas, never from the caller. */
function jsonPath({ extension, attribute }: Resolved): string {
  return `r.search${extension === undefined ? '' : ` -> '${extension}'`} -> '${attribute.name}'`;
}

function elements(source: string, alias: string): string {
  return `jsonb_array_elements(case when jsonb_typeof(${source}) = 'array' then ${source} else '[]'::jsonb end) as ${alias}(${alias})`;
}

function nest({ extension, attribute }: Resolved, value: unknown): object {
  const inner = { [attribute.name]: value };
  return extension === undefined ? inner : { [extension]: inner };
}

function containment(resolved: Resolved, leaf: string, literal: Literal): object {
  const { attribute, sub } = resolved;
  const complex = attribute.type === 'complex' || sub !== undefined;
  const value = complex ? { [leaf]: literal } : literal;
  return nest(resolved, attribute.multiValued ? [value] : value);
}

/** The literal in the spelling in which `search` keeps an attribute of this name. */
function spelled(leaf: string, value: Literal): Literal {
  return typeof value === 'string' && !isCaseExact(leaf) ? foldCase(value) : value;
}

function literalOf(type: string, value: Literal, path: AttributePath, operator: Operator): string | number | boolean {
  if (type === 'boolean') return booleanOf(value, path, operator);
  if (type === 'decimal' || type === 'integer') {
    if (typeof value === 'number') return value;
    throw unfit(path, operator);
  }
  return stringOf(value, path, operator);
}

function stringOf(value: Literal, path: AttributePath, operator: Operator): string {
  if (typeof value === 'string') return value;
  throw unfit(path, operator);
}

/** Clients send booleans as text, in any case. */
function booleanOf(value: Literal, path: AttributePath, operator: Operator): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (text === 'true' || text === 'false') return text === 'true';
  throw unfit(path, operator);
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}

function unfit(path: AttributePath, operator: Operator): InputError {
  const name = path.sub === undefined ? path.attribute : `${path.attribute}.${path.sub}`;
  return new InputError(
    `The filter compares "${name.slice(0, 80)}" in a way that its type does not have (${operator}).`,
    {
      scimType: 'invalidFilter',
      reason: 'invalid-filter',
    },
  );
}
