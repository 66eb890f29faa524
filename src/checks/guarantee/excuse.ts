/** Why a finding lies outside of what Kafka promises. */
import type { Micros } from "../../sim/index.ts";

export interface Excuse {
  /** Claim of the fidelity specification that draws the line, such as `C-8`. */
  readonly clause: string;
  /** The fault or observation that enabled it, in words, with its time. */
  readonly because: string;
}

/** A fault that was carried out, as the injector records it. */
export interface AppliedFault {
  readonly kind: string;
  readonly at: Micros;
  /** null while it lasts. */
  readonly end: Micros | null;
  /** Node names such as `b1`, `zk2`. */
  readonly targets: readonly string[];
}
