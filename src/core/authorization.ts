import { z } from 'zod';

/** The value of an Authorization header in a setting, without what a terminal copies around it (RFC 9110 section 5.5). */
export const authorizationValue = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e][\x20-\x7e]{0,8190}$/, 'expected the value of an Authorization header');
