/** The protocols that can be explored, by name, with one sentence each. */
import { AS_KAFKA_HAS_IT, MODEL } from "./model-protocols.ts";
import { ABLATIONS, MODULES } from "./module-protocols.ts";
import { type Property, strongIsr, weakIsr } from "./properties.ts";
import type { Protocol } from "./protocol.ts";

export interface ExplorableProtocol {
  readonly name: string;
  readonly says: string;
  /** The decisions as the model of kafka-trial takes them; null: only the module's are there. */
  readonly model: Protocol | null;
  /** The decisions as the TLA+ module states them; null: no module has them. */
  readonly module: Protocol | null;
}

const MODULE_WORDS: { readonly [name in keyof typeof MODULES]: string } = {
  KafkaTruncateToHighWatermark: "before 0.11: a follower cuts to its own high watermark (C-16)",
  Kip101: "the leader answers with the offset where an epoch ends (C-18)",
  Kip279: "the leader answers with epoch and offset",
  Kip320FirstTry: "fetches carry the epoch of the last record only",
  Kip320: "fetch, truncation, high watermark and ISR fenced by the leader epoch",
};

const ABLATION_WORDS: { readonly [name in keyof typeof ABLATIONS]: string } = {
  UNCLEAN_ELECTION: "any replica may be elected (C-8)",
  ISR_NO_CAS: "the leader writes its ISR without compare-and-set (KAFKA-428)",
  NO_TRUNCATION: "a follower never truncates",
  TRUNC_TO_HW: "a follower cuts to its own high watermark (KIP-101)",
  EXPAND_WITHOUT_EPOCH: "the ISR grows before the leader's epoch has begun (KAFKA-7128)",
  OLD_EXPAND: "the ISR grows without fencing (KAFKA-7128)",
  UNFENCED_HW_INC: "the high watermark advances without fencing (KAFKA-7395)",
  UNFENCED_TRUNC: "truncation asks a leader of another epoch (KAFKA-7395)",
  KIP101_LOOKUP: "truncation by offset alone (KAFKA-6361)",
  UNFENCED_FETCH: "fetches carry no leader epoch (KAFKA-6880)",
};

const KAFKA_WORDS: { readonly [name in keyof typeof AS_KAFKA_HAS_IT]: string } = {
  Kip279WithCaches: "Kip279 with what a leader-epoch cache can tell",
  Kip279WithFallback: "the same, to the high watermark where the leader knows no such epoch",
  Kip320WithOwnRule: "Kip320 with Kafka's own rule for joining the ISR",
};

export const PROTOCOLS: readonly ExplorableProtocol[] = [
  ...Object.entries(MODULES).map(([name, module]) => ({
    name,
    says: MODULE_WORDS[name as keyof typeof MODULES],
    model: MODEL[name as keyof typeof MODEL],
    module,
  })),
  ...Object.entries(AS_KAFKA_HAS_IT).map(([name, model]) => ({
    name,
    says: KAFKA_WORDS[name as keyof typeof AS_KAFKA_HAS_IT],
    model,
    module: null,
  })),
  ...Object.entries(ABLATIONS).map(([name, module]) => ({
    name,
    says: `Kip320, but ${ABLATION_WORDS[name as keyof typeof ABLATIONS]}`,
    model: null,
    module,
  })),
];

export const PROPERTIES: { readonly [name: string]: Property } = { weakIsr, strongIsr };
