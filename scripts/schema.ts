// Writes schema/gbuild-1.schema.json from the schema in the code; a test keeps the two equal.
import { writeFileSync } from 'node:fs';
import { formatJsonSchema } from '../src/spec/schema/json-schema.ts';

writeFileSync(new URL('../schema/gbuild-1.schema.json', import.meta.url), formatJsonSchema());
