/** One registration as the exchange database holds it: text as it was written, oddities and all. Nothing here is checked. */
export interface Registration {
  readonly name: string;
  readonly code: string;
  readonly registeredOn: string;
  readonly kind: string;
  readonly capital: string;
  readonly district: string;
}
