// What became of deliveries is written together, and one that cannot be written holds up nobody else.
import { type Db, isViolated } from '#store/database.ts';
