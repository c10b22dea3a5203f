/** Identifiers of credit subjects and their parts: parse, check, normalise, mask. */
export * from './amount-bands.ts';
export * from './citizen-id.ts';
export * from './company-name.ts';
export * from './credit-code-departments.ts';
export * from './mask.ts';
export * from './organisation-code.ts';
export * from './parsed.ts';
export * from './region.ts';
export * from './registration-number.ts';
export * from './tianjin-regions.ts';
export * from './unified-social-credit-code.ts';
