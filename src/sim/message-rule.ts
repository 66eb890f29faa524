/**
 * Per-message rules for adversarial tests: drop, delay, duplicate or reorder by type of message.
 *
 * TCP does none of this within a connection. A rule stands for what happens around it: a request
 * that is sent again on another connection, one that a thread pool delays past a later one, one that
 * is lost with a connection whose other messages got through.
 */
import type { RandomStream } from "./random.ts";
import type { Micros } from "./time.ts";

export interface MessageRule {
  /** Type of message as the service names it, such as `LeaderAndIsr.request`. */
  readonly type: string;
  /** Sender and receiver; null is any node. */
  readonly from: number | null;
  readonly to: number | null;
  readonly action:
    | { readonly kind: "drop" }
    | { readonly kind: "delay"; readonly by: Micros }
    | { readonly kind: "duplicate"; readonly after: Micros }
    | { readonly kind: "reorder"; readonly within: Micros };
  /** How often in a thousand it applies, and at most how many times; null is without limit. */
  readonly perMille: number;
  readonly times: number | null;
}

/** A rule in force, with its count of applications. */
export class ActiveRule {
  readonly rule: MessageRule;
  applied = 0;

  constructor(rule: MessageRule) {
    this.rule = rule;
  }

  /** Decides whether the rule applies to this message, and counts it. */
  takes(type: string, from: number, to: number, random: RandomStream): boolean {
    const { rule } = this;
    if (rule.type !== type) return false;
    if (rule.from !== null && rule.from !== from) return false;
    if (rule.to !== null && rule.to !== to) return false;
    if (rule.times !== null && this.applied >= rule.times) return false;
    if (!random.chance(rule.perMille, 1000)) return false;
    this.applied++;
    return true;
  }
}
