/** The shape of an entry of the catalogue: one property that is judged, and when it is promised. */
import type { VariantId } from "../model/variants/registry.ts";

/** `always`: a violation ends the case; `eventually`: must come true; `sometimes`: must be reached. */
export type Modality = "always" | "eventually" | "sometimes";

export interface Description {
  /** What must hold, in one sentence. */
  readonly says: string;
  /** KIP, specification, paper or Jepsen. */
  readonly source: string;
  /** Under which conditions Kafka really promises it. */
  readonly promisedWhen: string;
  /** Claims of the fidelity specification that draw the line, such as `C-8`. */
  readonly clauses: readonly string[];
  /** Variants that it must catch. */
  readonly breaks: readonly VariantId[];
}

export interface CatalogueEntry extends Description {
  readonly name: string;
  readonly modality: Modality;
}
