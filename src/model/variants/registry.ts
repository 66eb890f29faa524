/**
 * Variants: named, known-wrong behaviours that the checks must catch.
 *
 * A variant changes one decision at the place where the right code takes it. `Switches` is one object
 * of booleans, all false in the unmodified model, read where the decision is taken; a variant that
 * is off costs one property read. Versions of a protocol are configuration (`feature.*`), not variants.
 */
import { CLIENTS_VARIANTS } from "./clients.ts";
import { CONTROL_PLANE_VARIANTS } from "./control-plane.ts";
import { HIGH_WATERMARK_VARIANTS } from "./high-watermark.ts";
import { REPLICATION_VARIANTS } from "./replication.ts";
import { ZOOKEEPER_VARIANTS } from "./zookeeper.ts";

export type { VariantEntry, VariantTier } from "./entry.ts";

export const VARIANTS = {
  ...REPLICATION_VARIANTS,
  ...HIGH_WATERMARK_VARIANTS,
  ...CONTROL_PLANE_VARIANTS,
  ...CLIENTS_VARIANTS,
  ...ZOOKEEPER_VARIANTS,
};

export type VariantId = keyof typeof VARIANTS;

/** One boolean per variant. All false is the unmodified model. */
export type Switches = { readonly [K in VariantId]: boolean };

/** All variants by id; ids are in the order in which they are listed. */
export const VARIANT_IDS = Object.keys(VARIANTS) as readonly VariantId[];

export const NO_SWITCHES: Switches = switchesFor(null);

/** The switches with one variant on, or none. Throws RangeError on an unknown id. */
export function switchesFor(variant: string | null): Switches {
  if (variant !== null && !(variant in VARIANTS)) throw new RangeError(`no variant "${variant}"`);
  // Built by JSON: an object that grows to so many keys one by one becomes a hash table in V8, and
  // every look at a switch on a hot path a search in it.
  const entries = VARIANT_IDS.map((id) => `"${id}":${id === variant}`);
  return JSON.parse(`{${entries.join(",")}}`) as Switches;
}
