/**
 * What graphql-js finds wrong with a variable, without the value that it quotes: that may be somebody's number. Where it
 * stands is told; names of fields there are the schema's own.
 */
export function withoutValue(message: string): string {
  const [, variable] = /^(Variable "\$\w+") got invalid value /.exec(message) ?? [];
  if (variable === undefined) return message;
  const [, place] = / at "([A-Za-z_][A-Za-z_.[\]\d]*)"; /.exec(message) ?? [];
  return `${variable} is not of its type${place === undefined ? '' : ` at ${place}`}.`;
}
