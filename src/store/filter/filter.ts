// A filter tree as a where clause on `resources r`. Equality goes through the GIN index on `search`, names and times
// through columns, members and groups through the membership table. Nothing is ever filtered in memory.

import {
  type Attribute,
  type Resolved,
  type ResourceSchema,
  resolve,
  resolveInFilter,
  type Schema,
} from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import { type AttributePath, compare, type Filter, type Literal, type Operator } from '#core/filter.ts';
import { nameKey } from '#core/names.ts';
import { EVERY_ORIGIN, type ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { managerSeen, memberSeen, seen, type Visible } from '../directory/served.ts';
import { Statement, type Where } from '../statement.ts';
import { Columns, SERVED_EXTERNAL_ID, SIGN } from './filter-columns.ts';
import { booleanOf, checkAgainstNull, literalOf, nameOf, stringOf, unfit } from './filter-literals.ts';
import { containment, elements, jsonPath, keys, nest } from './filter-paths.ts';

export interface FilterOptions {
  /** How many values the statement has before this clause. */
  readonly from?: number;
  readonly visible?: Visible | undefined;
  /** For lists of several types: an attribute that this type does not have is one without a value. */
  readonly lenient?: boolean;
  /** Base of every address that is served; without it a filter cannot compare addresses. */
  readonly base?: string | undefined;
}

/** @throws {InputError} `invalidFilter`: an unknown attribute, or a comparison that its type does not have */
export function compileFilter(filter: Filter, schema: ResourceSchema, options: FilterOptions = {}): Where {
  const compiler = new Compiler(schema, options);
  return { text: compiler.filter(filter), values: compiler.statement.values };
}

type Compare = Extract<Filter, { kind: 'compare' }>;

class Compiler {
  readonly statement: Statement;
  private readonly columns: Columns;
  private readonly schema: ResourceSchema;
  private readonly visible: Visible | undefined;
  private readonly lenient: boolean;
  private readonly base: string | undefined;
  private aliases = 0;

  constructor(schema: ResourceSchema, { from = 0, visible, lenient = false, base }: FilterOptions) {
    this.schema = schema;
    this.statement = new Statement(from);
    this.columns = new Columns(this.statement);
    this.visible = visible;
    this.lenient = lenient;
    this.base = base;
  }

  filter(filter: Filter): string {
    switch (filter.kind) {
      case 'and':
      case 'or':
        return `(${filter.terms.map((term) => this.filter(term)).join(` ${filter.kind} `)})`;
      case 'not':
        return `not ${this.filter(filter.term)}`;
      case 'present':
        return this.has(filter.path) ? this.present(filter.path) : 'false';
      case 'element':
        return this.has(filter.path) ? this.element(filter.path, filter.filter) : 'false';
      case 'compare':
        return this.has(filter.path) ? this.compare(filter) : String(isFulfilledByNone(filter));
    }
  }

  private has(path: AttributePath): boolean {
    return !this.lenient || resolve(this.schema, path) !== undefined;
  }

  private bind(value: unknown): string {
    return this.statement.bind(value);
  }

  private present(path: AttributePath): string {
    const resolved = resolveInFilter(this.schema, path);
    const { attribute, sub } = resolved;
    if (attribute.name === 'id' || attribute.name === 'meta' || attribute.name === 'schemas') return 'true';
    if (attribute.name === 'externalId') return `${SERVED_EXTERNAL_ID} is not null`;
    if (isManager(resolved)) return this.ofManager('eq', this.hasManager(resolved));
    if (isRelation(attribute)) return this.related(attribute.name, undefined);
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
      checkAgainstNull(operator, path);
      const present = this.present(path);
      return operator === 'eq' ? `not ${present}` : present;
    }
    if (attribute.type === 'complex' && sub === undefined && !attribute.sub.has('value')) throw unfit(path, operator);
    if (isManagerPlace(resolved))
      return this.ofManager(operator, this.managerPlace(operator, stringOf(value, path, operator), path));
    if (isManager(resolved)) return this.ofManager(operator, this.json(resolved, operator, value, path));
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
        return this.columns.exactUuid('r.id', operator, text());
      case 'externalId':
        // The origins are all there are: named, so that the index on origin and external id serves.
        return operator === 'eq'
          ? `(r.external_id is not null and r.origin = any('${EVERY_ORIGIN}') and r.external_id = ${this.bind(text())} and ${SERVED_EXTERNAL_ID} is not null)`
          : this.columns.text(SERVED_EXTERNAL_ID, operator, text());
      case 'active':
        return this.columns.truth('r.active', operator, booleanOf(value, path, operator), path);
      case 'meta.created':
        return this.columns.time('r.created_at', operator, text(), path);
      case 'meta.lastModified':
        return this.columns.time('r.updated_at', operator, text(), path);
      case 'meta.resourceType':
        return this.columns.text(`'${resourceType}'::text`, operator, text());
      case 'meta.version':
        return this.columns.text(`('W/"' || r.version || '"')`, operator, text());
      case 'meta.location':
        return this.columns.address('r.id', this.addressesOf(resourceType, path), operator, text());
      case 'schemas':
        return this.schema.isCut === true || this.hidesManagers() ? this.seenSchemas(operator, text()) : undefined;
      case resourceType === 'User' ? 'userName' : 'displayName':
        return this.columns.text('r.name_key', operator, nameKey(text()));
      default:
        return this.relation(name, operator, value, path);
    }
  }

  private hasManager(resolved: Resolved): string {
    return isManagerPlace(resolved)
      ? 'r.manager_id is not null'
      : `(r.search #> ${this.bind(keys(resolved))}::text[]) is not null`;
  }

  /** What is said of a manager who is not seen is said of nobody. */
  private ofManager(operator: Operator, condition: string): string {
    const isSeen = managerSeen(this.statement, this.visible, 'r.body');
    if (isSeen === undefined) return condition;
    return operator === 'ne' ? `(${condition} or not ${isSeen})` : `(${condition} and ${isSeen})`;
  }

  private managerPlace(operator: Operator, text: string, path: AttributePath): string {
    const address = foldCase(this.addressesOf('User', path));
    const place = this.columns.address('r.manager_id', address, operator, foldCase(text));
    return operator === 'ne' ? `(r.manager_id is null or ${place})` : `(r.manager_id is not null and ${place})`;
  }

  private relation(name: string, operator: Operator, value: Literal, path: AttributePath): string | undefined {
    const [of, sub = 'value'] = name.split('.');
    if (of !== 'members' && of !== 'groups') return undefined;
    const term: Compare = { kind: 'compare', path: { attribute: sub }, operator, value };
    stringOf(value, path, operator);
    const exists = this.related(of, term);
    return operator === 'ne' ? `(${exists} or not ${this.related(of, undefined)})` : exists;
  }

  /** Whether there is a member, or a group, that the filter chooses; without a filter, any that is seen. */
  private related(of: 'members' | 'groups', filter: Filter | undefined): string {
    if (of === 'members') {
      const chosen = filter === undefined ? 'true' : this.chosen(of, filter);
      return `exists (select 1 from group_members gm where gm.group_id = r.id and ${memberSeen(this.statement, this.visible)} and ${chosen})`;
    }
    if (filter === undefined && this.visible === undefined)
      return 'exists (select 1 from group_members gm where gm.member_id = r.id)';
    return this.inGroups(filter);
  }

  /**
   * Who is in a chosen group, down through nested ones. The recursion starts at the groups that can be chosen, so that
   * a look for one group costs what that group holds.
   */
  private inGroups(filter: Filter | undefined): string {
    const start = filter === undefined ? undefined : withoutType(filter);
    return `r.id in (select d.member_id from (
      with recursive down(member_id, group_id, member_type, type) as (
        select gm.member_id, gm.group_id, gm.member_type, 'direct' from group_members gm
          join resources gr on gr.id = gm.group_id and gr.deleted_at is null
          where ${seen(this.statement, this.visible, 'Group', 'gr.id')} and ${start === undefined ? 'true' : this.chosen('groups', start)}
        union select gm.member_id, d.group_id, gm.member_type, 'indirect' from down d
          join group_members gm on gm.group_id = d.member_id where d.member_type = 'Group')
      select member_id, group_id, min(type) as type from down group by member_id, group_id) d
      join resources gr on gr.id = d.group_id where ${filter === undefined ? 'true' : this.chosen('groups', filter)})`;
  }

  private chosen(of: 'members' | 'groups', filter: Filter): string {
    const subs = this.schema.core.attributes.get(of)?.sub ?? new Map<string, Attribute>();
    return this.inside(filter, subs, (term, sub) => this.relatedTerm(of, sub.name, term));
  }

  private relatedColumn(
    of: 'members' | 'groups',
    sub: string,
    operator: Operator,
    text: string,
    path: AttributePath,
  ): string {
    const id = of === 'members' ? 'gm.member_id' : 'gr.id';
    if (sub === 'value') return this.columns.uuid(id, operator, foldCase(text));
    if (sub === '$ref') {
      const at = (type: ResourceType): string =>
        this.columns.address(id, foldCase(this.addressesOf(type, path)), operator, foldCase(text));
      if (of === 'groups') return at('Group');
      return `(gm.member_type = 'User' and ${at('User')} or gm.member_type = 'Group' and ${at('Group')})`;
    }
    if (sub === 'type')
      return this.columns.text(of === 'members' ? 'lower(gm.member_type)' : 'd.type', operator, foldCase(text));
    if (sub === 'display')
      return of === 'groups'
        ? this.columns.text('gr.name_key', operator, nameKey(text))
        : `exists (select 1 from resources mr where mr.id = gm.member_id and ${this.columns.text(DISPLAY_KEY, operator, foldCase(text))})`;
    throw unfit(path, operator);
  }

  /** Everything that lies in the document. */
  private json(resolved: Resolved, operator: Operator, value: Literal, path: AttributePath): string {
    const { attribute } = resolved;
    const leaf = resolved.sub ?? (attribute.type === 'complex' ? attribute.sub.get('value') : attribute);
    if (leaf === undefined || leaf.type === 'complex') throw unfit(path, operator);
    const literal = literalOf(leaf, value, path, operator);
    if (isPrimary(attribute, leaf)) return this.primary(resolved, literal === true, operator, path);
    if (operator === 'ne' && attribute.multiValued) {
      const element = this.alias();
      const wanted = this.bind(JSON.stringify(attribute.type === 'complex' ? { [leaf.name]: literal } : literal));
      const absent = `(r.search #> ${this.bind(keys({ ...resolved, sub: undefined }))}::text[]) is null`;
      return `(${absent} or exists (select 1 from ${elements(jsonPath(resolved), element)} where not (${element} @> ${wanted}::jsonb)))`;
    }
    if (operator === 'eq' || operator === 'ne') {
      const contains = `r.search @> ${this.bind(JSON.stringify(containment(resolved, leaf.name, literal)))}::jsonb`;
      return operator === 'eq' ? contains : `not (${contains})`;
    }
    if (typeof literal === 'boolean' || leaf.type === 'binary') throw unfit(path, operator);
    if (!attribute.multiValued)
      return this.ordered(
        `(r.search #>> ${this.bind(keys({ ...resolved, sub: attribute === leaf ? undefined : leaf }))}::text[])`,
        operator,
        literal,
      );
    const element = this.alias();
    const inside = attribute.type === 'complex' ? `(${element} ->> ${this.bind(leaf.name)})` : `(${element} #>> '{}')`;
    return `exists (select 1 from ${elements(jsonPath(resolved), element)} where ${this.ordered(inside, operator, literal)})`;
  }

  /** A value that is the primary one, or one that is not: what does not say so is not. */
  private primary(resolved: Resolved, literal: boolean, operator: Operator, path: AttributePath): string {
    if (operator !== 'eq' && operator !== 'ne') throw unfit(path, operator);
    if (operator === 'eq' && literal)
      return `r.search @> ${this.bind(JSON.stringify(containment(resolved, 'primary', true)))}::jsonb`;
    const element = this.alias();
    const is = `${element} @> '{"primary":true}'`;
    const wanted = (operator === 'eq') === literal ? is : `not (${is})`;
    const some = `exists (select 1 from ${elements(jsonPath(resolved), element)} where ${wanted})`;
    if (operator === 'eq') return some;
    return `((r.search #> ${this.bind(keys({ ...resolved, sub: undefined }))}::text[]) is null or ${some})`;
  }

  private ordered(expression: string, operator: Operator, literal: string | number): string {
    if (typeof literal === 'number')
      return `coalesce(${expression}::numeric ${SIGN[operator]} ${this.bind(literal)}, false)`;
    return this.columns.text(expression, operator, literal);
  }

  /** `emails[type eq "work" and value co "x"]`: one element fulfils all of it. */
  private element(path: AttributePath, filter: Filter): string {
    const resolved = resolveInFilter(this.schema, path);
    const { attribute, extension } = resolved;
    if (attribute.type !== 'complex' || resolved.sub !== undefined) throw unfit(path, 'eq');
    if (extension === undefined && isRelation(attribute)) return this.related(attribute.name, filter);
    if (extension === undefined && attribute.name === 'meta')
      return this.inside(filter, attribute.sub, (term, { name }) =>
        this.filter({ ...term, path: { attribute: 'meta', sub: name } }),
      );
    if (attribute.name === 'manager') {
      const inside = this.inside(filter, attribute.sub, (term, { name }) =>
        this.filter({ ...term, path: { ...path, sub: name } }),
      );
      return `(${this.present(path)} and ${inside})`;
    }
    const element = this.alias();
    const source = attribute.multiValued
      ? elements(jsonPath(resolved), element)
      : `(select ${jsonPath(resolved)}) as ${element}(${element})`;
    const condition = this.inside(filter, attribute.sub, (term, sub) =>
      this.elementTerm(element, term, { attribute, sub }),
    );
    return `(${this.hint(resolved, filter)}exists (select 1 from ${source} where ${element} is not null and ${condition}))`;
  }

  /** The equalities that every match must have, so that the index narrows before elements are opened. */
  private hint(resolved: Resolved, filter: Filter): string {
    const { attribute } = resolved;
    const terms = filter.kind === 'and' ? filter.terms : [filter];
    const equal: Record<string, Literal> = {};
    for (const term of terms)
      if (term.kind === 'compare' && term.operator === 'eq' && term.value !== null && term.path.schema === undefined) {
        const sub = attribute.sub.get(foldCase(term.path.attribute));
        if (sub === undefined || sub.name in equal) continue;
        const literal = literalOf(sub, term.value, term.path, 'eq');
        if (literal !== false || !isPrimary(attribute, sub)) equal[sub.name] = literal;
      }
    if (Object.keys(equal).length === 0) return '';
    const wanted = nest(resolved, attribute.multiValued ? [equal] : equal);
    return `r.search @> ${this.bind(JSON.stringify(wanted))}::jsonb and `;
  }

  private inside(
    filter: Filter,
    subs: ReadonlyMap<string, Attribute>,
    leaf: (term: Extract<Filter, { kind: 'compare' | 'present' }>, sub: Attribute) => string,
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
        return leaf(filter, sub);
      }
    }
  }

  private relatedTerm(
    of: 'members' | 'groups',
    sub: string,
    term: Extract<Filter, { kind: 'compare' | 'present' }>,
  ): string {
    if (term.kind === 'present') return 'true';
    if (term.value === null) {
      checkAgainstNull(term.operator, term.path);
      return term.operator === 'ne' ? 'true' : 'false';
    }
    const positive = term.operator === 'ne' ? 'eq' : term.operator;
    const condition = this.relatedColumn(of, sub, positive, stringOf(term.value, term.path, term.operator), term.path);
    return term.operator === 'ne' ? `not ${condition}` : condition;
  }

  private elementTerm(
    element: string,
    term: Extract<Filter, { kind: 'compare' | 'present' }>,
    { attribute, sub }: Required<Pick<Resolved, 'attribute' | 'sub'>>,
  ): string {
    const { name, type } = sub;
    const present = (): string => `(${element} -> ${this.bind(name)}) is not null`;
    if (term.kind === 'present') return present();
    const { operator, value, path } = term;
    if (value === null) {
      checkAgainstNull(operator, path);
      return operator === 'eq' ? `not (${present()})` : present();
    }
    const literal = literalOf(sub, value, path, operator);
    if (operator === 'eq' || operator === 'ne') {
      // What does not say that it is primary is not.
      const isOther = literal === false && isPrimary(attribute, sub);
      const contains = `${element} @> ${this.bind(JSON.stringify({ [name]: isOther || literal }))}::jsonb`;
      return (operator === 'eq') === isOther ? `not (${contains})` : contains;
    }
    if (typeof literal === 'boolean' || type === 'binary') throw unfit(path, operator);
    return this.ordered(`(${element} ->> ${this.bind(name)})`, operator, literal);
  }

  /** The text before the id in every address of this type. */
  private addressesOf(type: ResourceType, path: AttributePath): string {
    if (this.base !== undefined) return `${this.base}/${type}s/`;
    throw new InputError(`"${nameOf(path)}" cannot be compared in a filter that is kept.`, {
      scimType: 'invalidFilter',
      reason: 'invalid-filter',
      remedy: 'Compare the id instead: the address of the gateway may change.',
    });
  }

  private hidesManagers(): boolean {
    return managerSeen(new Statement(), this.visible, 'r.body') !== undefined;
  }

  /** `schemas` where attributes are left out: it names an extension when anything that is seen of it is there. */
  private seenSchemas(operator: Operator, text: string): string {
    const { core, extensions } = this.schema;
    const isMeant = ({ id }: Schema): boolean => compare(id, operator, text, false);
    const seenOf = extensions.filter(isMeant).flatMap(({ id, attributes }) =>
      [...attributes.values()].flatMap(({ name, type, sub }) => {
        const path = { schema: id, attribute: name };
        if (type !== 'complex') return this.present(path);
        return [...sub.values()].map((inner) => this.present({ ...path, sub: inner.name }));
      }),
    );
    return `(${[String(isMeant(core)), ...seenOf].join(' or ')})`;
  }

  private alias(): string {
    this.aliases += 1;
    return `e${this.aliases}`;
  }
}

/** What is displayed of a member, folded by us as every key is. */
const DISPLAY_KEY = `coalesce(mr.search ->> 'displayName', mr.name_key)`;

/** What an attribute without a value fulfils: to be null, and to be anything but a value. */
function isFulfilledByNone({ operator, value }: Compare): boolean {
  return value === null ? operator === 'eq' : operator === 'ne';
}

/** Whether it tells of each of several values if it is the primary one; absent, that is false (RFC 7643 section 2.4). */
function isPrimary(attribute: Attribute, sub: Attribute): boolean {
  return attribute.multiValued && sub.name === 'primary' && sub.type === 'boolean';
}

function isManager({ extension, attribute }: Resolved): boolean {
  return extension !== undefined && attribute.name === 'manager';
}

/** `manager.$ref` follows from who it is, and lies in no document. */
function isManagerPlace({ extension, attribute, sub }: Resolved): boolean {
  return extension !== undefined && attribute.name === 'manager' && sub?.name === '$ref';
}

function isRelation(attribute: Attribute): attribute is Attribute & { readonly name: 'members' | 'groups' } {
  return attribute.name === 'members' || attribute.name === 'groups';
}

/** A filter that every match fulfils and that says nothing of `type`; undefined when there is none worth having. */
function withoutType(filter: Filter): Filter | undefined {
  switch (filter.kind) {
    case 'and': {
      const terms = filter.terms.map(withoutType).filter((term) => term !== undefined);
      return terms.length === 0 ? undefined : { kind: 'and', terms };
    }
    case 'or': {
      const terms = filter.terms.map(withoutType);
      return terms.every((term) => term !== undefined) ? { kind: 'or', terms } : undefined;
    }
    case 'compare':
      return foldCase(filter.path.attribute) === 'type' ? undefined : filter;
    default:
      return undefined;
  }
}
