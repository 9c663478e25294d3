/** The rules of an attribute mapping as they are saved, and as a kind of provider has them by default. */
import { z } from 'zod';

const RULES_MAX = 200;
const PATH_MAX = 300;

/** What may stand in for a value that is missing. */
const plain = z.union([z.string().max(10_000), z.number(), z.boolean()]);

const Rule = z
  .strictObject({
    target: z.string().min(1).max(PATH_MAX),
    /** A field of the record; parts of it with dots. */
    source: z.string().min(1).max(PATH_MAX).optional(),
    /** The same for everybody; null clears the attribute. */
    constant: z.union([plain, z.null(), z.record(z.string(), z.unknown()), z.array(z.unknown()).max(100)]).optional(),
    expression: z.string().min(1).optional(),
    defaultIfEmpty: plain.optional(),
    apply: z.enum(['always', 'onCreate']).default('always'),
  })
  .superRefine(({ source, constant, expression }, context) => {
    const given = [source, constant, expression].filter((value) => value !== undefined).length;
    if (given !== 1)
      context.addIssue({ code: 'custom', message: 'give exactly one of "source", "constant" and "expression"' });
  });

/** One attribute of a resource and where its value comes from: exactly one of `source`, `constant`, `expression`. */
export type MappingRule = Readonly<z.output<typeof Rule>>;

/** For the settings of a kind: rules that go before its own. */
export const mappingRules = z.array(Rule).max(RULES_MAX).default([]);
